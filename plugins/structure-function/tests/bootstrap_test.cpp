// Errors of the two functions, against the scatter between light curves of the same damped random
// walk. tests/benchmarks/sf_study makes large samples.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <qsohost/plugin.hpp>
#include <qsohost/testing.hpp>

#include "simulate.hpp"

using simulate::Curve;

namespace {

qsohost::LightCurve epochs_of(const Curve& c) {
  qsohost::LightCurve out;
  for (std::size_t i = 0; i < c.time.size(); ++i) {
    out.time.push_back(c.time[i]);
    out.mag.push_back(c.mag[i]);
    out.mag_err.push_back(c.mag_err[i]);
  }
  return out;
}

double result(qsohost::Harness& h, const std::string& name, std::size_t row) {
  return h.batch().objects().at("structure-function.ztf.g." + name).number(row);
}

constexpr const char* kResults[] = {"slope",  "err_slope",  "amplitude", "err_amplitude",
                                    "sf_inf", "err_sf_inf", "log_tau",   "err_log_tau"};

}  // namespace

TEST_CASE("errors are the scatter between light curves") {
  const auto estimator = GENERATE(sf::Estimator::MeanSquare, sf::Estimator::Iqr);
  const auto walk =
      GENERATE(simulate::Walk{150, 100, 1800, 0.2, 0.02}, simulate::Walk{60, 50, 1500, 0.1, 0.03});
  const auto r = simulate::compare(walk, estimator, 500, 1);
  INFO("estimator " << static_cast<int>(estimator) << ", " << walk.epochs << " epochs");
  for (const auto& [name, ratio] : {std::pair{"slope", r.slope},
                                    {"amplitude", r.amplitude},
                                    {"sf_inf", r.sf_inf},
                                    {"ln tau", r.ln_tau}}) {
    INFO(name << ": error " << ratio.error << ", scatter " << ratio.scatter);
    CHECK(ratio.value() > 0.8);
    CHECK(ratio.value() < 1.3);
  }
}

TEST_CASE("a bin without a value leaves the fits to the others") {
  // Two campaigns of 30 d, 400 d apart: no lags from 30 to 370 d.
  const Curve c = simulate::curve({1500, 100, 1800, 0.2, 0.02}, 3);
  Curve campaigns;
  for (std::size_t i = 0; i < c.time.size(); ++i) {
    const double t = c.time[i];
    if (t >= 30 && (t < 400 || t >= 430)) continue;
    campaigns.time.push_back(t);
    campaigns.mag.push_back(c.mag[i]);
    campaigns.mag_err.push_back(c.mag_err[i]);
  }
  REQUIRE(campaigns.time.size() > 30);
  qsohost::Harness h("structure-function",
                     {{"groups", R"(["ztf.g"])"}, {"rest_frame", "false"}, {"redshift", R"("")"}});
  h.light_curves("ztf.g", {epochs_of(campaigns)});
  h.run();
  const auto sf = h.batch().group("structure-function.ztf.g").at("sf").values<double>();
  REQUIRE(std::ranges::count_if(sf, [](double x) { return std::isnan(x); }) >= 3);
  for (const char* name : kResults) {
    INFO(name);
    CHECK(std::isfinite(result(h, name, 0)));
  }
  CHECK(result(h, "err_slope", 0) > 0.02);
  CHECK(result(h, "flags", 0) == +qsohost::kShortBaseline);
}

TEST_CASE("equal light curves have equal errors, others have draws of their own") {
  const Curve c = simulate::curve({100, 100, 1800, 0.2, 0.02}, 5);
  const auto once = simulate::fitted(c, sf::Estimator::MeanSquare).errors;
  const auto again = simulate::fitted(c, sf::Estimator::MeanSquare).errors;
  Curve shifted = c;  // the same bins, but for rounding
  for (double& m : shifted.mag) m += 0.25;
  const auto other = simulate::fitted(shifted, sf::Estimator::MeanSquare).errors;
  CHECK(once.slope == again.slope);
  CHECK(once.ln_tau == again.ln_tau);
  CHECK(other.slope != once.slope);
  CHECK(other.slope == Approx(once.slope).epsilon(0.7));
}

TEST_CASE("without a value there is no error") {
  Curve constant = simulate::curve({100, 100, 1800, 0, 0.02}, 6);
  constant.mag.assign(100, 18);
  Curve noise = simulate::curve({100, 100, 1800, 0, 0.02}, 7);
  qsohost::Harness h("structure-function",
                     {{"groups", R"(["ztf.g"])"}, {"rest_frame", "false"}, {"redshift", R"("")"}});
  h.light_curves("ztf.g", {epochs_of(constant), epochs_of(noise)});
  h.run();
  for (std::size_t row = 0; row < 2; ++row) {
    for (const std::string name : {"slope", "amplitude", "sf_inf", "log_tau"}) {
      INFO(name << " of row " << row);
      if (std::isnan(result(h, name, row))) CHECK(std::isnan(result(h, "err_" + name, row)));
    }
  }
  CHECK(std::isnan(result(h, "slope", 0)));
  CHECK(result(h, "sf_inf", 1) < 0.02);
  CHECK(result(h, "err_sf_inf", 1) < 0.02);
}
