// The columns of predictions, and of the fitted curve, against dense algebra.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <qsohost/testing.hpp>
#include <span>
#include <string>
#include <vector>

#include "dense.hpp"
#include "simulate.hpp"

using ou::Mean;
using qsohost::Harness;
using qsohost::LightCurve;

namespace {

constexpr std::size_t kEpochs = 90, kGrid = 7;
constexpr std::size_t kWithoutPart = 11;  // as fetched
constexpr double kRedshift = 0.5;

const std::map<std::string, Mean> kMeans{
    {"median", Mean::Fixed}, {"profiled", Mean::Profiled}, {"marginal", Mean::Marginal}};

// Not in time order, with an epoch without part and outliers of both signs.
LightCurve fetched() {
  ou::Curve c = simulate::curve(kEpochs, 12, {.sigma = 0.2, .tau = 150});
  simulate::Random random(3);
  simulate::add_noise(c, 0.04, random);
  for (const std::size_t i : {20, 21, 60}) c.mag[i] += i == 60 ? -2.5 : 2.0;
  LightCurve out;
  for (std::size_t i = 0; i < kEpochs; ++i) {
    const std::size_t k = i * 7 % kEpochs;
    out.time.push_back(58000 + c.time[k]);
    // The harness keeps them in 32 bits, as archives do.
    out.mag.push_back(static_cast<float>(c.mag[k]));
    out.mag_err.push_back(static_cast<float>(c.mag_err[k]));
  }
  out.mag[kWithoutPart] = std::numeric_limits<double>::quiet_NaN();
  return out;
}

// A run of the stage, and the light curve that it had, in time order.
struct Run {
  LightCurve curve = fetched();
  std::vector<std::size_t> order;  // of the epochs that take part
  ou::Curve sorted;                // in the rest frame
  Harness h;
  std::string prefix;

  Run(const std::string& stage, const std::string& mean, const std::string& jitter)
      : h(stage, options(stage, mean, jitter)), prefix(stage + ".ztf.g.") {
    for (std::size_t i = 0; i < kEpochs; ++i)
      if (i != kWithoutPart) order.push_back(i);
    std::ranges::sort(order, {}, [&](std::size_t i) { return curve.time[i]; });
    for (const std::size_t i : order) {
      sorted.time.push_back((curve.time[i] - curve.time[order[0]]) / (1 + kRedshift));
      sorted.mag.push_back(curve.mag[i]);
      sorted.mag_err.push_back(curve.mag_err[i]);
    }
    h.light_curves("ztf.g", {curve});
    h.batch().objects().add({"z", qsohost::DType::F64, "", "redshift"}).append(kRedshift);
    h.run();
  }

  static std::vector<std::pair<std::string, std::string>> options(const std::string& stage,
                                                                  const std::string& mean,
                                                                  const std::string& jitter) {
    std::vector<std::pair<std::string, std::string>> out{{"groups", R"(["ztf.g"])"},
                                                         {"mean", '"' + mean + '"'},
                                                         {"jitter", '"' + jitter + '"'},
                                                         {"predict", std::to_string(kGrid)}};
    if (stage == "ou-loo") out.emplace_back("rule", R"("predictive")");
    return out;
  }
  double value(const std::string& name) { return h.batch().objects().at(prefix + name).number(0); }
  std::span<const double> array(const std::string& name) {
    return h.batch().objects().at(prefix + name).values<double>();
  }
  // In time order.
  std::vector<std::uint8_t> removed() {
    std::vector<std::uint8_t> out(order.size());
    const qsohost::Column* keep = h.batch().group("ztf.g").find("keep");
    if (keep == nullptr) return out;
    for (std::size_t k = 0; k < order.size(); ++k)
      out[k] = keep->values<bool>()[order[k]] == 0 ? 1 : 0;
    return out;
  }
  ou::Parameters parameters(const std::string& which, bool with_jitter) {
    ou::Parameters p{value("log_sigma" + which), value("log_tau" + which)};
    if (with_jitter) p.ln_jitter = value("log_jitter" + which);
    return p;
  }
};

void check(Run& run, const ou::Parameters& p, Mean mean) {
  const ou::Series series = ou::series_of(run.sorted);
  const std::vector<std::uint8_t> removed = run.removed();
  const auto means = run.h.batch().group("ztf.g").at("loo_mean").values<double>();
  const auto deviations = run.h.batch().group("ztf.g").at("loo_sd").values<double>();
  CHECK(std::isnan(means[kWithoutPart]));
  CHECK(std::isnan(deviations[kWithoutPart]));
  for (std::size_t k = 0; k < run.order.size(); ++k) {
    std::vector<std::uint8_t> left_out = removed;
    left_out[k] = 1;
    const auto expected =
        dense::Process(run.sorted.time, series, p, left_out).predict(run.sorted.time[k], mean);
    const double noise = series.var[k] + std::exp(2 * p.ln_jitter);
    CHECK(means[run.order[k]] == Approx(series.reference + expected.mean).epsilon(1e-9));
    CHECK(deviations[run.order[k]] == Approx(std::sqrt(expected.var + noise)).epsilon(1e-7));
  }

  const dense::Process all(run.sorted.time, series, p, removed);
  const double first = run.curve.time[run.order.front()], last = run.curve.time[run.order.back()];
  const auto time = run.array("predicted_time"), mag = run.array("predicted_mag"),
             deviation = run.array("predicted_sd");
  REQUIRE(time.size() == kGrid);
  for (std::size_t i = 0; i < kGrid; ++i) {
    const double at = first + (last - first) * static_cast<double>(i) / (kGrid - 1);
    const auto expected = all.predict((at - first) / (1 + kRedshift), mean);
    CHECK(time[i] == Approx(at).epsilon(1e-12));
    CHECK(mag[i] == Approx(series.reference + expected.mean).epsilon(1e-9));
    CHECK(deviation[i] == Approx(std::sqrt(expected.var)).epsilon(1e-5));
  }
}

}  // namespace

TEST_CASE("epochs are predicted from the others that were fitted, also those removed") {
  for (const auto& [name, mean] : kMeans) {
    for (const std::string jitter : {"none", "fit"}) {
      INFO(name << ", jitter " << jitter);
      Run loo("ou-loo", name, jitter);
      const auto removed = loo.removed();
      CHECK(std::count(removed.begin(), removed.end(), 1) >= 3);
      check(loo, loo.parameters("_post", jitter == "fit"), mean);
      Run fit("ou-fit", name, jitter);
      check(fit, fit.parameters("", jitter == "fit"), mean);
    }
  }
}
