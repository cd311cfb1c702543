#include "multiband_lags.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <qsohost/testing.hpp>
#include <string>
#include <vector>

#include "multiband_simulate.hpp"

using ou::multiband::Fit;
using ou::multiband::Model;
using ou::multiband::PerBand;
using ou::multiband::Series;

namespace {

simulate::BandsTruth two_bands() {
  simulate::BandsTruth truth;
  truth.epochs = {200, 240};
  truth.sigma.resize(2);
  truth.error.resize(2);
  return truth;
}

Model with_lags(std::vector<ou::multiband::Lagged> lagged, double low = -20, double high = 20) {
  Model model{ou::standard_box(), ou::multiband::Mean::Marginal};
  model.lagged = std::move(lagged);
  model.lag_min = low;
  model.lag_max = high;
  return model;
}

// The process is simulated without lags: later epochs of a band make it follow.
Series shifted(simulate::Bands curves, std::size_t bands, const PerBand<double>& lag) {
  for (std::size_t i = 0; i < curves.time.size(); ++i) curves.time[i] += lag[curves.band[i]];
  return simulate::series(curves, bands);
}

}  // namespace

TEST_CASE("lags inside a survey are found, within their intervals as often as those say") {
  const PerBand<double> truth{0, 4.3, 0, -2.0, -2.0};
  int within = 0;  // of 90
  std::vector<double> errors;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    const Series s = shifted(simulate::bands(seed), 5, truth);
    const Fit fit = fit_with_lags(s, with_lags({{1, 0}, {3, 2}, {4, 2}}));
    REQUIRE(fit.converged);
    CHECK(fit.at.lag[0] == 0);
    CHECK(fit.at.lag[2] == 0);
    for (const std::size_t b : {1, 3, 4}) {
      CHECK(fit.lag_interval[b].low <= fit.at.lag[b]);
      CHECK(fit.lag_interval[b].high >= fit.at.lag[b]);
      within += fit.lag_interval[b].low <= truth[b] && truth[b] <= fit.lag_interval[b].high;
    }
    errors.push_back(std::abs(fit.at.lag[1] - truth[1]));
  }
  std::ranges::sort(errors);
  CHECK(errors[errors.size() / 2] < 0.5);
  CHECK(errors.back() < 3);
  // 61 of 90 expected, with a standard deviation of 4.4 at least.
  CHECK(within > 48);
  CHECK(within < 76);
}

TEST_CASE("a scan finds the highest maximum along a lag, and where it has fallen by a half") {
  const PerBand<double> truth{0, 6.0, 0, -2.0, 0};
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const Series s = shifted(simulate::bands(seed), 5, truth);
    for (const ou::multiband::Lagged lagged : {ou::multiband::Lagged{1, 0}, {3, 2}}) {
      INFO("seed " << seed << ", band " << lagged.band);
      const Model model = with_lags({lagged});
      const Fit fit = fit_with_lags(s, model);
      REQUIRE(fit.converged);
      double highest = -1e300, low = 100, high = -100;
      for (double lag = -20; lag <= 20; lag += 0.005) {
        ou::multiband::Parameters at = fit.at;
        at.lag[lagged.band] = lag;
        const double loglike = evaluate(s, at, model.mean, ou::multiband::Want::Value).loglike;
        highest = std::max(highest, loglike);
        if (loglike < fit.value.loglike - 0.5) continue;
        low = std::min(low, lag);
        high = std::max(high, lag);
      }
      CHECK(fit.value.loglike > highest - 0.02);
      CHECK(fit.lag_interval[lagged.band].low == Approx(low).margin(0.02));
      CHECK(fit.lag_interval[lagged.band].high == Approx(high).margin(0.02));
    }
  }
}

TEST_CASE("lags stay within their bounds, and the interval says that it ends there") {
  const Series s = shifted(simulate::bands(3, two_bands()), 2, {0, 12.0});
  const Fit fit = fit_with_lags(s, with_lags({{1, 0}}, -5, 8));
  REQUIRE(fit.converged);
  CHECK(fit.at.lag[1] >= -5);
  CHECK(fit.at.lag[1] <= 8);
  CHECK(fit.lag_interval[1].high == 8);
}

TEST_CASE("where no band lags, the fit with lags is hardly better, and counts them") {
  int covered = 0;
  constexpr int kCurves = 20;
  for (std::uint64_t seed = 1; seed <= kCurves; ++seed) {
    const Series s = simulate::series(simulate::bands(seed, two_bands()), 2);
    const Fit none = fit_with_lags(s, with_lags({}));
    const Fit fit = fit_with_lags(s, with_lags({{1, 0}}));
    REQUIRE(none.converged);
    REQUIRE(fit.converged);
    CHECK(none.at.lag[1] == 0);
    CHECK(fit.n_parameters == none.n_parameters + 1);
    CHECK(fit.value.loglike >= none.value.loglike);
    CHECK(fit.at.ln_tau == Approx(none.at.ln_tau).margin(0.5 * none.err_ln_tau));
    covered += fit.lag_interval[1].low <= 0 && fit.lag_interval[1].high >= 0;
  }
  CHECK(covered >= kCurves / 2);
}

namespace {

const char* const kGroups = R"(["ztf.g", "ztf.r", "gaia.g"])";

qsohost::LightCurve of_band(const simulate::Bands& curves, std::size_t band, double lag) {
  qsohost::LightCurve out;
  for (std::size_t i = 0; i < curves.time.size(); ++i) {
    if (curves.band[i] != band) continue;
    out.time.push_back(57000 + curves.time[i] + lag);
    out.mag.push_back(curves.mag[i]);
    out.mag_err.push_back(curves.mag_err[i]);
  }
  return out;
}

double result(qsohost::Harness& h, const std::string& column) {
  return h.batch().objects().at("ou-multiband." + column).number(0);
}

}  // namespace

TEST_CASE("ou-multiband reports the lags of a survey's bands, in days of the frame fitted") {
  constexpr double kRedshift = 1, kLag = 5;  // rest frame
  qsohost::Harness h("ou-multiband", {{"groups", kGroups}, {"lags", R"("fit")"}});
  const simulate::Bands curves = simulate::bands(3);
  h.light_curves("ztf.g", {of_band(curves, 0, 0)});
  h.light_curves("ztf.r", {of_band(curves, 1, (1 + kRedshift) * kLag)});
  h.light_curves("gaia.g", {of_band(curves, 2, 0)});
  h.batch().objects().add({"z", qsohost::DType::F64, "", "redshift"}).append(kRedshift);
  h.run();
  CHECK(result(h, "ztf.r.lag") == Approx(kLag).margin(2));
  CHECK(result(h, "ztf.r.lag_low") < result(h, "ztf.r.lag"));
  CHECK(result(h, "ztf.r.lag_high") > result(h, "ztf.r.lag"));
  for (const char* column : {"ztf.g.lag", "gaia.g.lag", "gaia.g.lag_low", "gaia.g.lag_high"})
    CHECK(result(h, column) == 0);
  CHECK(result(h, "n_parameters") == 1 + 3 + 3 + 1);
  CHECK((static_cast<int>(result(h, "flags")) & (1 << 27)) == 0);
}

TEST_CASE("without its first band, a survey's lags are measured against the next, or not at all") {
  qsohost::Harness h("ou-multiband", {{"groups", kGroups},
                                      {"lags", R"("fit")"},
                                      {"lag_bounds", "[-0.01, 0.01]"},
                                      {"rest_frame", "false"}});
  const simulate::Bands curves = simulate::bands(3);
  qsohost::LightCurve g = of_band(curves, 0, 0);
  for (auto* v : {&g.time, &g.mag, &g.mag_err}) v->resize(3);
  h.light_curves("ztf.g", {g, of_band(curves, 0, 0)});
  h.light_curves("ztf.r", {of_band(curves, 1, 0), of_band(curves, 1, 5)});
  h.light_curves("gaia.g", {of_band(curves, 2, 0), of_band(curves, 2, 0)});
  h.run();
  CHECK(std::isnan(result(h, "ztf.g.lag")));
  CHECK(result(h, "ztf.r.lag") == 0);
  CHECK((static_cast<int>(result(h, "flags")) & (1 << 27)) == 0);
  const double flags = h.batch().objects().at("ou-multiband.flags").number(1);
  CHECK((static_cast<int>(flags) & (1 << 27)) != 0);
}

TEST_CASE("lags that cannot be fitted are refused") {
  const auto message = [](const char* groups, const char* bounds) -> std::string {
    try {
      qsohost::Harness h("ou-multiband", {{"groups", groups},
                                          {"lags", R"("fit")"},
                                          {"lag_bounds", bounds},
                                          {"rest_frame", "false"}});
      const simulate::Bands curves = simulate::bands(3);
      for (const char* group : {"ztf.g", "gaia.g"}) h.light_curves(group, {of_band(curves, 0, 0)});
      h.run();
    } catch (const std::exception& e) {
      return e.what();
    }
    return "";
  };
  const char* const two_surveys = R"(["ztf.g", "gaia.g"])";
  CHECK(message(two_surveys, "[-20, 20]").find("two light curves of one survey") !=
        std::string::npos);
  for (const char* bounds : {"[5, 20]", "[20, -20]", "[0, 0]"})
    CHECK(message(two_surveys, bounds).find("with 0 between them") != std::string::npos);
}
