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

using simulate::logs;

const dho::Parameters kTruth = logs(0.2, 0.04, 0.3, 4);

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
  const dho::Evaluation there =
      dho::evaluate(series, {at}, dho::Mean::Profiled, dho::Want::Gradient);
  CHECK(value(h, "loglike") == Approx(there.loglike));
  CHECK(value(h, "chi2") == Approx(there.chi2));
  CHECK(value(h, "mean") == Approx(series.reference + there.mean));
  CHECK(value(h, "loglike_drw") < value(h, "loglike"));
  CHECK(value(h, "loglike_const") < value(h, "loglike_drw"));
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

TEST_CASE("the likelihood of a marginal mean is that of all means, integrated") {
  const simulate::Curve curve = simulate::curve(60, 21, kTruth);
  Harness h("dho", {{"groups", R"(["ztf.g"])"}, {"rest_frame", "false"}, {"mean", "marginal"}});
  run(h, {fetched(curve)}, {1});
  CHECK(value(h, "n_parameters") == 5);
  const dho::Series series = dho::make_series(curve.time, curve.mag, curve.mag_err);
  const dho::Parameters at{value(h, "log_sigma"), value(h, "log_omega_0"), value(h, "log_xi"),
                           value(h, "log_tau_perturb")};
  const double expected = value(h, "mean") - series.reference;
  double sum = 0, weighted = 0;
  constexpr double kStep = 1e-3;
  for (int i = -1500; i <= 1500; ++i) {
    dho::Series moved = series;
    const double mean = expected + i * kStep;
    for (double& y : moved.y) y -= mean;
    const double loglike = dho::evaluate(moved, {at}, dho::Mean::Fixed, dho::Want::Value).loglike;
    sum += kStep * std::exp(loglike - value(h, "loglike"));
    weighted += kStep * mean * std::exp(loglike - value(h, "loglike"));
  }
  CHECK(sum == Approx(1).margin(1e-3));  // magnitudes are stored as float
  CHECK(weighted / sum == Approx(expected).margin(1e-5));
}

TEST_CASE("doubts are flagged where they belong, and not elsewhere") {
  enum { kWalk, kUnconstrained, kShort, kFast, kConstant, kTooSmall, kKinds };
  const simulate::Curve good = simulate::curve(250, 5, kTruth, 4000, 0.01);
  simulate::Curve too_small = simulate::curve(300, 3, simulate::walk(0.15, 150, 2), 4000);
  for (double& e : too_small.mag_err) e /= 3;
  std::vector<LightCurve> curves(kKinds, fetched(good));
  curves[kWalk] = fetched(simulate::curve(150, 3, simulate::walk(0.15, 150, 2), 4000));
  curves[kUnconstrained] = fetched(simulate::curve(150, 49, simulate::walk(0.15, 150, 2), 4000));
  curves[kShort] = fetched(simulate::curve(100, 4, simulate::walk(0.3, 3000, 2)));
  curves[kFast] = fetched(simulate::curve(200, 9, logs(0.2, 2, 0.7, 0.1)));
  curves[kConstant] = fetched(simulate::curve(100, 6, logs(1e-4, 0.04, 0.3, 4)));
  curves[kTooSmall] = fetched(too_small);
  curves.push_back(fetched(good));
  Harness h("dho", {{"groups", R"(["ztf.g"])"}, {"rest_frame", "false"}, {"mean", "profiled"}});
  run(h, curves, std::vector<double>(curves.size(), 0));
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    const int flag = 1 << (15 + kind);
    INFO("flag " << flag << ", flags " << value(h, "flags", kind) << ", of the good curve "
                 << value(h, "flags", kKinds));
    CHECK((static_cast<int>(value(h, "flags", kind)) & flag) != 0);
    CHECK((static_cast<int>(value(h, "flags", kKinds)) & flag) == 0);
  }
}

TEST_CASE("two values at one time are more than any process can do") {
  simulate::Curve c = simulate::curve(250, 5, kTruth, 4000, 0.01);
  for (std::size_t i = 1; i < c.mag.size(); i += 2) {
    c.time[i] = c.time[i - 1];
    c.mag[i] = c.mag[i - 1] + (i % 4 == 1 ? 0.05 : -0.05);
  }
  Harness h("dho", {{"groups", R"(["ztf.g"])"}, {"rest_frame", "false"}, {"mean", "profiled"}});
  run(h, {fetched(c)}, {0});
  CHECK(value(h, "chi2") > 2 * 250);
  CHECK((static_cast<int>(value(h, "flags")) & 1048576) != 0);
}

TEST_CASE("few damped random walks are told apart from damped random walks") {
  std::vector<LightCurve> curves;
  for (std::uint64_t seed = 0; seed < 100; ++seed)
    curves.push_back(fetched(simulate::curve(100, seed, simulate::walk(0.15, 150, 2), 4000)));
  Harness h("dho", {{"groups", R"(["ztf.g"])"}, {"rest_frame", "false"}, {"mean", "profiled"}});
  run(h, curves, std::vector<double>(curves.size(), 0));
  int told_apart = 0;
  for (std::size_t row = 0; row < curves.size(); ++row) {
    const bool is_flagged = (static_cast<int>(value(h, "flags", row)) & 32768) != 0;
    const double gained = value(h, "loglike", row) - value(h, "loglike_drw", row);
    CHECK(is_flagged == (gained <= std::log(100)));
    told_apart += !is_flagged;
  }
  CHECK(told_apart <= 5);
}

TEST_CASE("columns with times say which frame they are of") {
  for (const bool rest : {true, false}) {
    Harness h("dho", {{"groups", R"(["ztf.g"])"}, {"rest_frame", rest ? "true" : "false"}});
    run(h, {fetched(simulate::curve(30, 4, kTruth))}, {1});
    const auto says = [&](const std::string& column) {
      return h.batch().objects().at("dho.ztf.g." + column).info().description;
    };
    const std::string frame = rest ? "; rest frame" : "; observed frame";
    for (const char* column : {"baseline", "median_cadence", "log_omega_0", "log_tau_perturb",
                               "log_alpha_1", "log_beta_1", "tau_decay", "tau_rise", "period"}) {
      INFO(column << ": " << says(column));
      CHECK(says(column).ends_with(frame));
    }
    for (const char* column : {"log_sigma", "log_xi", "mean", "sf_inf", "err_log_omega_0"})
      CHECK(says(column).find("frame") == std::string::npos);
  }
}
