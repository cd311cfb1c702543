#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <qsohost/plugin.hpp>
#include <qsohost/testing.hpp>
#include <string>

#include "dho_fit.hpp"
#include "simulate.hpp"

using qsohost::Harness;
using qsohost::LightCurve;

namespace {

const dho::Parameters kTruth{std::log(0.2), std::log(0.04), std::log(0.3), std::log(4)};

LightCurve fetched(const simulate::Curve& c) {
  return {c.time, c.mag, c.mag_err};
}

void run(Harness& h, const std::vector<LightCurve>& curves, const std::vector<double>& z) {
  h.light_curves("ztf.g", curves);
  qsohost::Column& column = h.batch().objects().add({"z", qsohost::DType::F64, "", "redshift"});
  for (const double value : z) column.append(value);
  h.run();
}

double value(Harness& h, const std::string& name, std::size_t row = 0) {
  return h.batch().objects().at("dho.ztf.g." + name).number(row);
}

}  // namespace

TEST_CASE("the result columns of a fit are consistent") {
  Harness h("dho", {{"groups", R"(["ztf.g"])"}, {"rest_frame", "false"}, {"mean", "profiled"}});
  const simulate::Curve curve = simulate::curve(250, 5, kTruth);
  run(h, {fetched(curve)}, {1});
  CHECK(value(h, "flags") == 0);
  CHECK(value(h, "n_parameters") == 5);
  CHECK(value(h, "aic") == Approx(10 - 2 * value(h, "loglike")));
  CHECK(value(h, "bic") == Approx(5 * std::log(250) - 2 * value(h, "loglike")));
  const double alpha_1 = std::exp(value(h, "log_alpha_1")),
               alpha_2 = std::exp(value(h, "log_alpha_2")),
               beta_0 = std::exp(value(h, "log_beta_0")), beta_1 = std::exp(value(h, "log_beta_1")),
               omega = std::exp(value(h, "log_omega_0")), xi = std::exp(value(h, "log_xi")),
               sigma = std::exp(value(h, "log_sigma"));
  CHECK(alpha_1 == Approx(2 * xi * omega));
  CHECK(alpha_2 == Approx(omega * omega));
  CHECK(beta_1 / beta_0 == Approx(std::exp(value(h, "log_tau_perturb"))));
  CHECK((beta_0 * beta_0 / alpha_2 + beta_1 * beta_1) / (2 * alpha_1) == Approx(sigma * sigma));
  CHECK(value(h, "sf_inf") == Approx(std::numbers::sqrt2 * sigma));
  CHECK(value(h, "tau_decay") == Approx(1 / (xi * omega)));
  CHECK(value(h, "period") == Approx(2 * std::numbers::pi / (omega * std::sqrt(1 - xi * xi))));
  CHECK(std::isnan(value(h, "tau_rise")));
  CHECK(value(h, "err_log_alpha_2") == Approx(2 * value(h, "err_log_omega_0")));
  const dho::Series series = dho::make_series(curve.time, curve.mag, curve.mag_err);
  const dho::Parameters at{value(h, "log_sigma"), value(h, "log_omega_0"), value(h, "log_xi"),
                           value(h, "log_tau_perturb")};
  const dho::Evaluation there = dho::gradient_at(series, at, dho::Mean::Profiled);
  CHECK(value(h, "loglike") == Approx(there.loglike));
  CHECK(value(h, "chi2") == Approx(there.chi2));
  CHECK(value(h, "mean") == Approx(there.mean));
  CHECK(there.gradient.cwiseAbs().maxCoeff() < 0.01);
}

TEST_CASE("rest frame: times are shorter by 1 + z, sigma is the same") {
  const LightCurve curve = fetched(simulate::curve(120, 11, kTruth));
  Harness rest("dho", {{"groups", R"(["ztf.g"])"}});
  Harness observed("dho", {{"groups", R"(["ztf.g"])"}, {"rest_frame", "false"}});
  run(rest, {curve}, {2});
  run(observed, {curve}, {2});
  CHECK(value(rest, "log_sigma") == Approx(value(observed, "log_sigma")).margin(1e-4));
  CHECK(value(rest, "log_xi") == Approx(value(observed, "log_xi")).margin(1e-3));
  CHECK(value(rest, "log_omega_0") ==
        Approx(value(observed, "log_omega_0") + std::log(3)).margin(1e-3));
  CHECK(value(rest, "loglike") == Approx(value(observed, "loglike")).margin(1e-5));
}

TEST_CASE("bad input is flagged with the reason") {
  const LightCurve good = fetched(simulate::curve(30, 4, kTruth));
  std::vector<LightCurve> curves(6, good);
  curves[0] = {};
  curves[2].mag_err.assign(30, 0);
  curves[3].mag[3] = curves[3].time[4] = std::numeric_limits<double>::infinity();
  curves[4].mag.assign(30, 18);
  for (std::size_t i = 0; i < 30; i += 2) curves[5].time[i + 1] = curves[5].time[i];
  Harness h("dho", {{"groups", R"(["ztf.g"])"}});
  run(h, curves, {0.5, -1, 0.5, 0.5, 0.5, 0.5});
  const int flags[] = {1, 2, 5, 4, 0, 0};
  for (std::size_t row = 0; row < 6; ++row) {
    INFO("row " << row);
    CHECK((static_cast<int>(value(h, "flags", row)) & 15) == flags[row]);
    CHECK(std::isfinite(value(h, "loglike", row)) == (row > 2));
    CHECK(std::isfinite(value(h, "log_beta_1", row)) == (row > 2));
  }
  CHECK((static_cast<int>(value(h, "flags", 4)) & 64) != 0);  // nothing varies: sigma at its bound
  CHECK(value(h, "n_epochs", 3) == 28);
}

TEST_CASE("a damped random walk is fitted at least as well as by its own likelihood") {
  // tau_perturb = tau_rise leaves one pole, that of the walk: cov = sigma^2 exp(-lag / tau).
  const double tau = 150, rise = 2, omega = 1 / std::sqrt(tau * rise);
  const dho::Parameters walk{std::log(0.15), std::log(omega), std::log((tau + rise) * omega / 2),
                             std::log(rise)};
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const dho::Series series = simulate::series(100, 60 + seed, walk);
    const dho::Fit fit = dho::fit_global(series, dho::standard_box(), dho::Mean::Profiled);
    CHECK(fit.converged);
    double best = -1e300;  // of all random walks
    for (double ln_tau = 0; ln_tau < 9; ln_tau += 0.1) {
      for (double ln_sigma = -4; ln_sigma < 1; ln_sigma += 0.1) {
        const double w = 1 / std::sqrt(std::exp(ln_tau) * rise);
        const dho::Parameters at{ln_sigma, std::log(w), std::log((std::exp(ln_tau) + rise) * w / 2),
                                 std::log(rise)};
        best = std::max(best, dho::value_at(series, at, dho::Mean::Profiled).loglike);
      }
    }
    CHECK(fit.loglike > best - 1e-6);
  }
}
