#include "multiband_posterior.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <qsohost/testing.hpp>
#include <string>
#include <utility>
#include <vector>

#include "multiband_simulate.hpp"

using ou::multiband::Fit;
using ou::multiband::Mean;
using ou::multiband::Model;
using ou::multiband::Posterior;
using ou::multiband::Series;

namespace {

using Quantiles = std::array<double, 5>;

simulate::BandsTruth two_bands() {
  simulate::BandsTruth truth;
  truth.epochs = {60, 50};
  truth.sigma.resize(2);
  truth.error.resize(2);
  return truth;
}

struct Weighted {
  double value, weight;
};

// `width`: of the cells of which the values are the middles; 0 where values hardly repeat.
Quantiles quantiles(std::vector<Weighted> v, double width) {
  std::ranges::sort(v, {}, &Weighted::value);
  double all = 0;
  for (const Weighted& w : v) all += w.weight;
  Quantiles out{};
  double below = 0;
  std::size_t q = 0;
  for (std::size_t i = 0; i < v.size();) {
    double here = 0;
    const double value = v[i].value;
    for (; i < v.size() && v[i].value == value; ++i) here += v[i].weight;
    for (; q < out.size() && below + here >= ou::kQuantiles[q] * all; ++q)
      out[q] = value + width * ((ou::kQuantiles[q] * all - below) / here - 0.5);
    below += here;
  }
  return out;
}

// A grid over the box in ln tau, and in both ln sigma over `reach` on each side of a ridge.
Posterior dense(const Series& s, const Model& model, const ou::multiband::Parameters& best,
                double reach) {
  constexpr int kTau = 120, kSigma = 80;
  const double step = 2 * reach / kSigma;
  const ou::Box& box = model.box;
  std::vector<ou::multiband::Parameters> all;
  std::vector<double> loglike;
  for (int i = 0; i < kTau; ++i) {
    auto p = best;
    p.ln_tau = box.ln_tau_min + (i + 0.5) / kTau * (box.ln_tau_max - box.ln_tau_min);
    // Along the ridge, but not such that values of D repeat.
    const double along = 0.45 * std::max(0.0, p.ln_tau - best.ln_tau);
    std::vector<ou::multiband::Parameters> trials;
    for (int k = 0; k < kSigma * kSigma; ++k) {
      p.ln_sigma[0] = best.ln_sigma[0] + along - reach + (k / kSigma + 0.5) * step;
      p.ln_sigma[1] = best.ln_sigma[1] + along - reach + (k % kSigma + 0.5) * step;
      if (std::min(p.ln_sigma[0], p.ln_sigma[1]) > box.ln_sigma_min) trials.push_back(p);
    }
    for (const auto& e : evaluate_all(s, trials, model.mean, ou::multiband::Want::Value))
      loglike.push_back(e.loglike);
    all.insert(all.end(), trials.begin(), trials.end());
  }
  const double top = *std::ranges::max_element(loglike);
  const auto quantiles_by = [&](auto value, double width) {
    std::vector<Weighted> out;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (loglike[i] > top - 16) out.push_back({value(all[i]), std::exp(loglike[i] - top)});
    return quantiles(std::move(out), width);
  };
  Posterior out;
  out.ln_tau = quantiles_by([](const auto& p) { return p.ln_tau; },
                            (box.ln_tau_max - box.ln_tau_min) / kTau);
  for (std::size_t b = 0; b < 2; ++b) {
    out.ln_sigma[b] = quantiles_by([b](const auto& p) { return p.ln_sigma[b]; }, 0);
    out.ln_d[b] = quantiles_by([b](const auto& p) { return 2 * p.ln_sigma[b] - p.ln_tau; }, 0);
  }
  return out;
}

double largest_difference(const Quantiles& a, const Quantiles& b) {
  double out = 0;
  for (std::size_t q = 0; q < a.size(); ++q) out = std::max(out, std::abs(a[q] - b[q]));
  return out;
}

}  // namespace

namespace {

void check_against_grid(const Series& s, const Model& model, double reach) {
  const Fit fit = fit_global(s, model);
  REQUIRE(fit.converged);
  const Posterior p = posterior_of(s, model, fit), expected = dense(s, model, fit.at, reach);
  const double step = 2 * reach / 80;  // of the grid
  CHECK(largest_difference(p.ln_tau, expected.ln_tau) < 0.02);
  for (std::size_t b = 0; b < 2; ++b) {
    INFO("band " << b);
    CHECK(largest_difference(p.ln_sigma[b], expected.ln_sigma[b]) < std::max(0.05, step));
    CHECK(largest_difference(p.ln_d[b], expected.ln_d[b]) < std::max(0.05, 2 * step));
  }
}

}  // namespace

TEST_CASE("quantiles of two bands are those of a dense grid") {
  for (const double tau : {20.0, 60.0, 200.0}) {
    for (const Mean mean : {Mean::Marginal, Mean::Profiled}) {
      INFO("tau " << tau << ", marginal " << (mean == Mean::Marginal));
      simulate::BandsTruth truth = two_bands();
      truth.tau = tau;
      check_against_grid(simulate::series(simulate::bands(5, truth), 2), {ou::standard_box(), mean},
                         1.6);
    }
  }
}

TEST_CASE("so they are where a band has few epochs, or hardly any variation is seen") {
  const Model model{ou::standard_box(), Mean::Marginal};
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    INFO("seed " << seed);
    simulate::BandsTruth few = two_bands(), quiet = few, constant = few;
    few.epochs = {15, 12};
    quiet.sigma[1] = 0.02;
    constant.sigma[1] = 0.002;
    for (const simulate::BandsTruth& truth : {few, quiet, constant})
      check_against_grid(simulate::series(simulate::bands(seed, truth), 2), model, 3.2);
  }
}

TEST_CASE("jitter and lags are those of the fit") {
  simulate::Bands curves = simulate::bands(5, two_bands());
  const Series plain = simulate::series(curves, 2);
  Model model{ou::standard_box(), Mean::Marginal};
  const Fit fit = fit_global(plain, model);
  const Posterior expected = posterior_of(plain, model, fit);

  // The same epochs with smaller errors and the rest as jitter, and the second band later.
  constexpr double kJitter = 0.015, kLag = 7;
  for (std::size_t i = 0; i < curves.time.size(); ++i) {
    if (curves.band[i] == 1) curves.time[i] += kLag;
    curves.mag_err[i] = std::sqrt(curves.mag_err[i] * curves.mag_err[i] - kJitter * kJitter);
  }
  Fit other = fit;
  other.at.lag[1] = kLag;
  other.at.ln_jitter.fill(std::log(kJitter));
  model.box = ou::with_jitter(model.box);
  const Posterior p = posterior_of(simulate::series(curves, 2), model, other);
  CHECK(largest_difference(p.ln_tau, expected.ln_tau) < 1e-4);
  CHECK(largest_difference(p.ln_d[0], expected.ln_d[0]) < 1e-4);
  CHECK(largest_difference(p.ln_d[1], expected.ln_d[1]) < 1e-4);
}

TEST_CASE("ou-multiband reports quantiles of the bands that took part") {
  const simulate::Bands curves = simulate::bands(5, two_bands());
  qsohost::Harness h("ou-multiband", {{"groups", R"(["ztf.g", "ztf.r", "gaia.g"])"},
                                      {"posterior", R"("quadrature")"},
                                      {"rest_frame", "false"}});
  for (const std::size_t b : {0, 1, 2}) {
    qsohost::LightCurve curve;
    for (std::size_t i = 0; i < curves.time.size(); ++i) {
      if (curves.band[i] != b) continue;
      curve.time.push_back(57000 + curves.time[i]);
      curve.mag.push_back(curves.mag[i]);
      curve.mag_err.push_back(curves.mag_err[i]);
    }
    h.light_curves(b == 0 ? "ztf.g" : b == 1 ? "ztf.r" : "gaia.g", {curve});
  }
  h.run();
  const auto result = [&](const std::string& column) {
    return h.batch().objects().at("ou-multiband." + column).number(0);
  };
  for (const std::string column : {"log_tau", "ztf.g.logD", "ztf.r.logD", "ztf.r.log_sigma"}) {
    INFO(column);
    CHECK(result(column + "_q16") < result(column));
    CHECK(result(column + "_q84") > result(column));
    CHECK(result(column + "_q025") < result(column + "_q16"));
    CHECK(result(column + "_q975") > result(column + "_q84"));
    CHECK(result(column + "_q50") == Approx(result(column)).margin(1));
  }
  CHECK(std::isnan(result("gaia.g.logD_q50")));
}
