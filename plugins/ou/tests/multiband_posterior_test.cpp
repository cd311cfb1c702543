#include "multiband_posterior.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
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

// A grid over ln tau and both ln sigma: all of the box in tau, and of the sigmas what counts.
Posterior dense(const Series& s, const Model& model, const ou::multiband::Parameters& best) {
  constexpr int kTau = 120, kSigma = 80;
  std::vector<Weighted> tau;
  std::array<std::vector<Weighted>, 2> sigma, d;
  const ou::Box& box = model.box;
  std::vector<ou::multiband::Parameters> trials;
  for (int i = 0; i < kTau; ++i) {
    auto p = best;
    p.ln_tau = box.ln_tau_min + (i + 0.5) / kTau * (box.ln_tau_max - box.ln_tau_min);
    // Along the ridge, but not such that values of D repeat.
    const double middle = 0.45 * std::max(0.0, p.ln_tau - best.ln_tau);
    for (int j = 0; j < kSigma; ++j) {
      for (int k = 0; k < kSigma; ++k) {
        p.ln_sigma[0] = best.ln_sigma[0] + middle + (j + 0.5 - kSigma / 2) * 0.08;
        p.ln_sigma[1] = best.ln_sigma[1] + middle + (k + 0.5 - kSigma / 2) * 0.08;
        trials.push_back(p);
      }
    }
  }
  const auto found = evaluate_all(s, trials, model.mean, ou::multiband::Want::Value);
  double top = -1e300;
  for (const auto& e : found) top = std::max(top, e.loglike);
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const double weight = std::exp(found[i].loglike - top);
    if (weight < 1e-7) continue;
    tau.push_back({trials[i].ln_tau, weight});
    for (std::size_t b = 0; b < 2; ++b) {
      sigma[b].push_back({trials[i].ln_sigma[b], weight});
      d[b].push_back({2 * trials[i].ln_sigma[b] - trials[i].ln_tau, weight});
    }
  }
  Posterior out;
  out.ln_tau = quantiles(std::move(tau), (box.ln_tau_max - box.ln_tau_min) / kTau);
  for (std::size_t b = 0; b < 2; ++b) {
    out.ln_sigma[b] = quantiles(std::move(sigma[b]), 0);
    out.ln_d[b] = quantiles(std::move(d[b]), 0);
  }
  return out;
}

double largest_difference(const Quantiles& a, const Quantiles& b) {
  double out = 0;
  for (std::size_t q = 0; q < a.size(); ++q) out = std::max(out, std::abs(a[q] - b[q]));
  return out;
}

}  // namespace

TEST_CASE("quantiles of two bands are those of a dense grid") {
  for (const double tau : {20.0, 60.0, 200.0}) {
    for (const Mean mean : {Mean::Marginal, Mean::Profiled}) {
      simulate::BandsTruth truth = two_bands();
      truth.tau = tau;
      const Series s = simulate::series(simulate::bands(5, truth), 2);
      const Model model{ou::standard_box(), mean};
      const Fit fit = fit_global(s, model);
      REQUIRE(fit.converged);
      const Posterior p = posterior_of(s, model, fit), expected = dense(s, model, fit.at);
      INFO("tau " << tau << ", marginal " << (mean == Mean::Marginal));
      CHECK(largest_difference(p.ln_tau, expected.ln_tau) < 0.02);
      for (std::size_t b = 0; b < 2; ++b) {  // the grid itself has steps of 0.06
        INFO("band " << b);
        CHECK(largest_difference(p.ln_sigma[b], expected.ln_sigma[b]) < 0.05);
        CHECK(largest_difference(p.ln_d[b], expected.ln_d[b]) < 0.05);
      }
    }
  }
}

TEST_CASE("exper", "[.exper]") {
  for (int kind = 0; kind < 4; ++kind) {
    for (int seed = 1; seed < 4; ++seed) {
    simulate::BandsTruth truth = two_bands();
    if (kind == 0) truth.epochs = {60, 12};
    if (kind == 1) truth.sigma[1] = 0.02;
    if (kind == 2) truth.sigma[1] = 0.002;
    if (kind == 3) truth.epochs = {15, 12};
    const Series s = simulate::series(simulate::bands(seed, truth), 2);
    const Model model{ou::standard_box(), Mean::Marginal};
    const Fit fit = fit_global(s, model);
    REQUIRE(fit.converged);
    const Posterior p = posterior_of(s, model, fit), e = dense(s, model, fit.at);
    std::printf("kind %d seed %d: tau %.3f s %.3f %.3f d %.3f %.3f  width tau %.2f s1 %.2f (dense %.2f) fit %.2f +- %.2f\n", kind, seed, largest_difference(p.ln_tau, e.ln_tau), largest_difference(p.ln_sigma[0], e.ln_sigma[0]), largest_difference(p.ln_sigma[1], e.ln_sigma[1]), largest_difference(p.ln_d[0], e.ln_d[0]), largest_difference(p.ln_d[1], e.ln_d[1]), p.ln_tau[3]-p.ln_tau[1], p.ln_sigma[1][3]-p.ln_sigma[1][1], e.ln_sigma[1][3]-e.ln_sigma[1][1], fit.at.ln_sigma[1], fit.err_ln_sigma[1]);
    for (int q=0;q<5;++q) std::printf("   %.2f/%.2f  %.2f/%.2f  %.2f/%.2f\n", p.ln_tau[q], e.ln_tau[q], p.ln_sigma[0][q], e.ln_sigma[0][q], p.ln_sigma[1][q], e.ln_sigma[1][q]);
    }
  }
}
TEST_CASE("speedpost", "[.speed]") {
  const auto s = simulate::series(simulate::bands(1), 5);
  const Model model{ou::standard_box(), Mean::Marginal};
  const Fit fit = fit_global(s, model);
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) (void)posterior_of(s, model, fit);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  WARN(took.count() * 50 << " ms");
}
