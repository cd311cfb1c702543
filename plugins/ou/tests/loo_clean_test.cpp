#include "loo_clean.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <numeric>

#include "golden.hpp"
#include "loo_refit.hpp"
#include "predictive_rule.hpp"
#include "simulate.hpp"

using golden::Case;
using golden::Json;
using ou::Ending;
using ou::Mean;

TEST_CASE("every epoch's refit reaches the reference's maximum") {
  for (const Json& json : golden::cases()) {
    if (!json.contains("loo_refit")) continue;
    const Case c(json, 18);
    ou::Rule rule;
    rule.mean = Mean::Profiled;
    rule.box = golden::box(json.at("box"));
    const ou::Ridge ridge = ou::look_along_tau(c.series, rule.box, rule.mean);
    const ou::Fit full = ou::fit_global(c.series, rule.box, rule.mean, ridge);
    std::vector<std::size_t> epochs(c.series.size());
    std::iota(epochs.begin(), epochs.end(), std::size_t{0});
    const std::vector<ou::Fit> fits =
        ou::Refits(c.series, full, ridge, rule.box, rule.mean)(epochs);

    const auto loglike = c.sorted(json.at("loo_refit").at("loglike"));
    const auto sigma = c.sorted(json.at("loo_refit").at("sigma"));
    const auto tau = c.sorted(json.at("loo_refit").at("tau"));
    const Json& at_bound = json.at("loo_refit").at("at_bound");
    const Json& bent = json.at("mle").at("dlogL_if_tau_halved_or_doubled");
    const bool curved = bent[0].get<double>() > 0.1 && bent[1].get<double>() > 0.1;
    REQUIRE(fits.size() == loglike.size());
    for (std::size_t k = 0; k < fits.size(); ++k) {
      INFO(json.at("name") << " epoch " << c.order.original(k));
      CHECK(fits[k].converged);
      CHECK(fits[k].loglike == Approx(loglike[k]).epsilon(1e-9).margin(1e-6));
      if (!curved || at_bound[c.order.original(k)][1].get<bool>()) continue;
      CHECK(fits[k].ln_sigma == Approx(std::log(sigma[k])).margin(1e-5));
      CHECK(fits[k].ln_tau == Approx(std::log(tau[k])).margin(1e-5));
    }
  }
}

TEST_CASE("one gross outlier is removed, and nothing else") {
  for (const std::size_t n : {60, 150}) {
    ou::Curve curve = simulate::curve(n, n);
    const ou::Cleaned clean = ou::clean(curve, {});
    REQUIRE(clean.removed.empty());
    CHECK(clean.passes == 1);
    CHECK(clean.post.loglike == clean.full.loglike);

    curve.mag[n / 3] += 2;
    const ou::Cleaned cleaned = ou::clean(curve, {});
    CHECK(cleaned.ending == Ending::Clean);
    REQUIRE(cleaned.removed == std::vector<std::size_t>{n / 3});
    CHECK(cleaned.passes == 2);
    CHECK(cleaned.post.ln_d() < cleaned.full.ln_d() - 0.5);
    CHECK(cleaned.post.ln_d() == Approx(clean.full.ln_d()).margin(0.3));
  }
}

TEST_CASE("removed epochs are named by their place in the input, in order of removal") {
  ou::Curve curve = simulate::curve(80, 5);
  curve.mag[10] += 3;
  curve.mag[50] -= 1.2;
  const ou::Cleaned cleaned = ou::clean(curve, {});
  CHECK(cleaned.removed == std::vector<std::size_t>{10, 50});
}

TEST_CASE("a stop is obeyed, and removes nothing") {
  ou::Curve curve = simulate::curve(200, 5);
  curve.mag[10] += 3;
  ou::Rule rule;
  int asked = 0;
  rule.stop_requested = [&] { return ++asked > 3; };
  rule.mode = ou::Mode::Exact;
  const ou::Cleaned cleaned = ou::clean(curve, rule);
  CHECK(cleaned.ending == Ending::Stopped);
  CHECK(cleaned.removed.empty());
  CHECK(asked == 4);
}

TEST_CASE("max_passes, min_abs_delta_ln_d and min_points limit what is removed") {
  ou::Curve curve = simulate::curve(60, 5);
  curve.mag[10] += 3;
  curve.mag[40] -= 1.2;
  ou::Rule rule;
  SECTION("max_passes") {
    rule.max_passes = 1;
    const ou::Cleaned cleaned = ou::clean(curve, rule);
    CHECK(cleaned.ending == Ending::PassesUsedUp);
    CHECK(cleaned.removed.size() == 1);
  }
  SECTION("min_abs_delta_ln_d") {
    rule.min_abs_delta_ln_d = 100;
    CHECK(ou::clean(curve, rule).removed.empty());
  }
  SECTION("min_points") {
    rule.min_points = 60;
    const ou::Cleaned cleaned = ou::clean(curve, rule);
    CHECK(cleaned.removed.empty());  // 59 would be left
    CHECK(cleaned.passes == 1);
    CHECK(cleaned.ending == Ending::AtFewest);
    CHECK(!cleaned.given_up());
  }
}

TEST_CASE("an epoch whose removal makes D larger is kept unless only_if_d_decreases is off") {
  // White scatter on a wide grid allows any short tau, except for one pair of epochs half a day
  // apart that agree.
  simulate::Random random(3);
  ou::Curve curve;
  for (int i = 0; i < 20; ++i) {
    curve.time.push_back(100 * i);
    curve.mag.push_back(18 + 0.2 * random.normal());
  }
  curve.time.insert(curve.time.begin() + 11, 1000.5);
  curve.mag.insert(curve.mag.begin() + 11, curve.mag[10]);
  curve.mag_err.assign(curve.size(), 0.01);

  ou::Rule rule;
  rule.max_passes = 1;
  CHECK(ou::clean(curve, rule).removed.empty());
  rule.only_if_d_decreases = false;
  const ou::Cleaned either = ou::clean(curve, rule);
  REQUIRE(either.removed.size() == 1);
  CHECK((either.removed[0] == 10 || either.removed[0] == 11));
  CHECK(either.post.ln_d() > either.full.ln_d() + 0.5);
}

ou::Cleaned by_prediction(const ou::Curve& curve, const ou::Rule& rule) {
  return ou::clean_by_prediction(curve, rule);
}

TEST_CASE("light curves without information give a result or a reason, never a crash") {
  const auto finite = [](const ou::Fit& f) {
    return std::isfinite(f.ln_sigma) && std::isfinite(f.ln_tau) && std::isfinite(f.loglike);
  };
  const auto clean = GENERATE(&ou::clean, &by_prediction);
  ou::Curve curve = simulate::curve(20, 3);
  SECTION("all magnitudes equal") {
    curve.mag.assign(20, 18.5);
    const ou::Cleaned cleaned = clean(curve, {});
    CHECK(!cleaned.given_up());
    CHECK(finite(cleaned.full));
    CHECK((cleaned.full.bounds & ou::kSigmaLow) != 0);
    CHECK(cleaned.removed.empty());
  }
  SECTION("all at one time") {
    curve.time.assign(20, 0.0);
    const ou::Cleaned cleaned = clean(curve, {});
    // Only the errors could make them differ, and these are too small.
    CHECK(cleaned.ending == (clean == &ou::clean ? Ending::Clean : Ending::TooFewLeft));
    CHECK(finite(cleaned.full));
  }
  SECTION("pairs at one time") {
    for (std::size_t i = 0; i + 1 < 20; i += 2) curve.time[i + 1] = curve.time[i];
    ou::Rule rule;
    rule.max_removed_fraction = 1;  // pairs that differ may lose one each
    const ou::Cleaned cleaned = clean(curve, rule);
    CHECK(!cleaned.given_up());
    CHECK(finite(cleaned.full));
  }
  SECTION("one night") {
    for (double& t : curve.time) t *= 1e-4;
    const ou::Cleaned cleaned = clean(curve, {});
    CHECK(!cleaned.given_up());
    CHECK(finite(cleaned.full));
  }
  SECTION("magnitudes beyond any range") {
    curve.mag[3] = 1e300;
    const ou::Cleaned cleaned = clean(curve, {});
    CHECK(cleaned.ending == Ending::FitFailed);
  }
  SECTION("a factor of ten thousand between errors") {
    for (std::size_t i = 0; i < 20; ++i) curve.mag_err[i] = i % 2 == 0 ? 1e-4 : 1.0;
    const ou::Cleaned cleaned = clean(curve, {});
    CHECK(!cleaned.given_up());
    CHECK(finite(cleaned.full));
  }
}
