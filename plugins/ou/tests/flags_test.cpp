// Every flag of ou-fit and ou-loo on a light curve that has it; a healthy one has none.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <qsohost/testing.hpp>
#include <string>
#include <utility>
#include <vector>

#include "simulate.hpp"

using qsohost::Harness;
using qsohost::LightCurve;
using Options = std::vector<std::pair<std::string, std::string>>;

namespace {

enum Bit : std::uint8_t {
  kJitterAtBound = 16,
  kShortBaseline,
  kFasterThanCadence,
  kConstantPreferred,
  kErrorsTooSmall,
  kErrorSentinels,
  kRoundedTimes,
  kTwoSources,
  kTooManyRemoved,
};

std::int64_t flags(const char* stage, const LightCurve& curve, Options options) {
  options.emplace_back("groups", R"(["ztf.g"])");
  options.emplace_back("rest_frame", "false");
  Harness h(stage, options);
  h.light_curves("ztf.g", {curve});
  h.run();
  return static_cast<std::int64_t>(
      h.batch().objects().at(std::string(stage) + ".ztf.g.flags").number(0));
}

void check(const LightCurve& curve, Bit bit, bool expected, const Options& options = {}) {
  for (const char* stage : {"ou-fit", "ou-loo"}) {
    INFO(stage << ": bit " << int{bit});
    CHECK((flags(stage, curve, options) >> bit & 1) == expected);
  }
}

LightCurve fetched(const ou::Curve& c) {
  return {c.time, c.mag, c.mag_err};
}

constexpr simulate::Truth kHealthy{.sigma = 0.2, .tau = 50};

LightCurve healthy() {
  return fetched(simulate::curve(150, 4, kHealthy));
}

void scale_errors(LightCurve& c, double factor) {
  for (double& error : c.mag_err) error *= factor;
}

}  // namespace

TEST_CASE("a healthy light curve has no flag") {
  for (const char* mean : {R"("median")", R"("profiled")", R"("marginal")"}) {
    CHECK(flags("ou-fit", healthy(), {{"mean", mean}}) == 0);
    for (const char* rule : {R"("influence")", R"("predictive")"})
      CHECK(flags("ou-loo", healthy(), {{"mean", mean}, {"rule", rule}}) == 0);
  }
}

TEST_CASE("jitter at its bound is flagged") {
  LightCurve too_large = healthy(), too_small = healthy();
  scale_errors(too_large, 1.5);
  scale_errors(too_small, 0.3);
  check(too_large, kJitterAtBound, true, {{"jitter", R"("fit")"}});
  check(too_small, kJitterAtBound, false, {{"jitter", R"("fit")"}});
  check(too_large, kJitterAtBound, false);
}

TEST_CASE("errors that are too small are flagged, unless jitter is fitted") {
  // Many epochs are closer than tau.
  LightCurve curve = fetched(simulate::curve(400, 4, {.sigma = 0.15, .tau = 200}));
  check(curve, kErrorsTooSmall, false);
  scale_errors(curve, 0.3);
  check(curve, kErrorsTooSmall, true);
  check(curve, kErrorsTooSmall, false, {{"jitter", R"("fit")"}});
}

TEST_CASE("a baseline below 10 tau, and a tau below the cadence, are flagged") {
  const LightCurve slow = fetched(simulate::curve(150, 4, {.sigma = 0.2, .tau = 1500}));
  const LightCurve fast = fetched(simulate::curve(150, 4, {.sigma = 0.2, .tau = 0.3}));
  check(slow, kShortBaseline, true);
  check(fast, kShortBaseline, false);
  check(slow, kFasterThanCadence, false);
  check(fast, kFasterThanCadence, true);
}

TEST_CASE("an object that does not vary is flagged") {
  check(fetched(simulate::curve(150, 4, {.sigma = 1e-6})), kConstantPreferred, true);
}

TEST_CASE("sentinels of errors, rounded times and two sources are flagged") {
  LightCurve sentinel = healthy();
  sentinel.mag_err[3] = 99.99;
  check(sentinel, kErrorSentinels, true);

  LightCurve rounded = healthy(), exact = healthy();
  for (double& t : rounded.time) t = static_cast<float>(2458000 + t);
  for (double& t : exact.time) t += 2458000;
  check(rounded, kRoundedTimes, true);
  check(exact, kRoundedTimes, false);

  LightCurve two = healthy(), same = healthy();
  for (std::size_t i = 0; i < 150; ++i) {
    for (LightCurve* c : {&two, &same}) {
      c->time.push_back(c->time[i]);
      c->mag.push_back(c->mag[i] + (c == &two ? 1.3 : 0.01));
      c->mag_err.push_back(c->mag_err[i]);
    }
  }
  check(two, kTwoSources, true);
  check(same, kTwoSources, false);
}

TEST_CASE("more outliers than max_removed_fraction are flagged by both rules") {
  LightCurve few = healthy(), many = healthy();
  for (std::size_t i = 0; i < 20; ++i) many.mag[7 * i] += i % 2 == 0 ? 1.5 : -1.5;
  few.mag[70] += 1.5;
  const auto is_given_up = [](const LightCurve& curve, Options options) {
    return (flags("ou-loo", curve, std::move(options)) >> kTooManyRemoved & 1) == 1;
  };
  CHECK(is_given_up(many, {{"rule", R"("predictive")"}}));
  CHECK(!is_given_up(few, {{"rule", R"("predictive")"}}));
  // Influence removes one epoch a pass, which is more than 0.001 of 150.
  CHECK(is_given_up(few, {{"rule", R"("influence")"}, {"max_removed_fraction", "0.001"}}));
  CHECK(!is_given_up(few, {{"rule", R"("influence")"}}));
}
