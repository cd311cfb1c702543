// What the fits and the rules achieve on simulated light curves with known truth. Samples are
// small; tests/benchmarks/ou_study makes large ones. The numbers are shown with --success.
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <sstream>

#include "ou_surface.hpp"
#include "predictive_rule.hpp"
#include "simulate.hpp"

using ou::Mean;

namespace {

ou::Fit fit(const ou::Series& s) {
  const ou::Box box = ou::standard_box();
  return ou::fit_global(s, box, Mean::Fixed, ou::look_along_tau(s, box, Mean::Fixed));
}

struct Spoilt {
  ou::Curve curve;
  std::vector<std::size_t> moved;
  simulate::Truth truth;
};

Spoilt spoilt(std::size_t n, double contamination, std::uint64_t seed) {
  simulate::Random random(1000 * seed + n);
  Spoilt s;
  s.truth = simulate::any_truth(random);
  s.curve = simulate::curve(n, seed, s.truth);
  s.moved = simulate::add_outliers(s.curve, contamination, random);
  return s;
}

struct Moments {
  double sum = 0, squares = 0;
  int n = 0;
  void add(double x) {
    sum += x;
    squares += x * x;
    ++n;
  }
  double mean() const { return sum / n; }
  double sd() const { return std::sqrt(squares / n - mean() * mean()); }
};

}  // namespace

TEST_CASE("a fit takes at most 60 evaluations and finds the highest maximum") {
  std::vector<int> evaluations;
  int missed = 0, failed = 0;
  for (const std::size_t n : {12, 30, 60, 300}) {
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      const ou::Series s =
          ou::series_of(spoilt(n, 0.01 * static_cast<double>(seed % 4), seed).curve);
      const ou::Fit found = fit(s);
      failed += !found.converged;
      evaluations.push_back(found.evaluations);
      std::vector<ou::Start> dense;
      for (double ln_tau = -2; ln_tau < 9; ln_tau += 1.5)
        for (double ln_sigma = -4.5; ln_sigma < 1; ln_sigma += 1)
          dense.push_back({{ln_sigma, ln_tau}});
      for (const ou::Summit<2>& x :
           ou::climb_all<2>(s, ou::standard_box(), Mean::Fixed, dense, 1e-2))
        if (x.best.value.loglike > found.loglike + 0.1) {
          ++missed;
          break;
        }
    }
  }
  std::sort(evaluations.begin(), evaluations.end());
  CHECK(evaluations[evaluations.size() * 95 / 100] <= 60);
  CHECK(missed == 0);
  CHECK(failed == 0);
}

TEST_CASE("sigma, tau and D are recovered") {
  // With the mean estimated too, 1 / tau comes out too large by 4 / T (Tang & Chen 2009, J. Econom.
  // 149, 65); half of the baseline of 1800 d is observed. D is not biased to that order, so ln
  // sigma is low by half as much as ln tau.
  simulate::Truth truth;
  truth.tau = 60;
  Moments sigma, tau, d, pull;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const ou::Series s = ou::series_of(simulate::curve(400, seed, truth));
    const ou::Fit f = fit(s);
    sigma.add(f.ln_sigma - std::log(truth.sigma));
    tau.add(f.ln_tau - std::log(truth.tau));
    const double off = f.ln_d() - (2 * std::log(truth.sigma) - std::log(truth.tau));
    d.add(off);
    pull.add(off / f.errors.ln_d);
  }
  INFO("ln sigma " << sigma.mean() << " +- " << sigma.sd() << ", ln tau " << tau.mean() << " +- "
                   << tau.sd() << ", ln D " << d.mean() << " +- " << d.sd() << ", pull of ln D "
                   << pull.mean() << " +- " << pull.sd());
  const double error = tau.sd() / std::sqrt(60.0);
  CHECK(tau.mean() > -4 * truth.tau / 900 - 3 * error);
  CHECK(tau.mean() < -4 * truth.tau / 1800 + 3 * error);
  CHECK(sigma.mean() == Approx(0.5 * tau.mean()).margin(0.03));
  CHECK(std::abs(d.mean()) < 3.5 * d.sd() / std::sqrt(60.0));
  CHECK(pull.sd() == Approx(1).margin(0.3));
}

TEST_CASE("D is recovered where the light curve is too short for tau") {
  simulate::Truth truth;
  truth.tau = 1500;
  Moments tau, d;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const ou::Fit f = fit(ou::series_of(simulate::curve(300, seed, truth)));
    tau.add(f.ln_tau - std::log(truth.tau));
    d.add(f.ln_d() - (2 * std::log(truth.sigma) - std::log(truth.tau)));
  }
  INFO("ln tau " << tau.mean() << " +- " << tau.sd() << ", ln D " << d.mean() << " +- " << d.sd());
  CHECK(tau.mean() < -0.3);  // known to be low for baselines under 10 tau
  CHECK(std::abs(d.mean()) < 0.1);
}

TEST_CASE("leave-one-out residuals of clean light curves are uniform") {
  std::vector<double> pit;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const ou::Series s = ou::series_of(simulate::curve(300, seed));
    const auto z =
        ou::residuals_at(s, fit(s).parameters(), Mean::Fixed, std::vector<std::uint8_t>(s.size()));
    for (const double x : z) pit.push_back(0.5 * std::erfc(-x / std::sqrt(2.0)));
  }
  std::sort(pit.begin(), pit.end());
  double distance = 0;  // Kolmogorov-Smirnov
  const auto n = static_cast<double>(pit.size());
  for (std::size_t i = 0; i < pit.size(); ++i)
    distance = std::max(distance, std::abs(pit[i] - (static_cast<double>(i) + 0.5) / n));
  INFO("distance " << distance << " of " << pit.size());
  CHECK(distance * std::sqrt(n) < 1.63);  // 1 %
}

TEST_CASE("prediction finds outliers beyond 5 sigma and hardly anything else") {
  int outliers = 0, found = 0, curves = 0, falsely = 0;
  std::map<int, std::pair<int, int>> by_amplitude;  // in steps of 2 sigma
  for (const std::size_t n : {60, 300, 1000}) {
    for (const double contamination : {0.0, 0.003, 0.01, 0.03}) {
      for (std::uint64_t seed = 0; seed < (n > 500 ? 4 : 12); ++seed) {
        const Spoilt s = spoilt(n, contamination, seed);
        const auto removed = ou::clean_by_prediction(s.curve, {}).removed;
        std::vector<std::uint8_t> moved(n);
        for (const std::size_t i : s.moved) moved[i] = 1;
        const auto z = ou::residuals_at(
            ou::make_series(s.curve.time, s.curve.mag, s.curve.mag_err, s.truth.mean),
            {std::log(s.truth.sigma), std::log(s.truth.tau)}, Mean::Fixed, moved);
        ++curves;
        for (std::size_t i = 0; i < n; ++i) {
          const bool gone = std::binary_search(removed.begin(), removed.end(), i);
          if (moved[i] == 0) {
            falsely += gone;
            continue;
          }
          auto& [all, hit] = by_amplitude[std::min(static_cast<int>(std::abs(z[i]) / 2), 5)];
          ++all;
          hit += gone;
          if (std::abs(z[i]) <= 5) continue;
          ++outliers;
          found += gone;
        }
      }
    }
  }
  std::ostringstream table;
  for (const auto& [step, counts] : by_amplitude)
    table << "from " << 2 * step << " sigma: " << counts.second << " of " << counts.first << "; ";
  INFO(table.str() << falsely << " good epochs lost in " << curves << " curves");
  CHECK(outliers > 300);
  CHECK(found >= 0.97 * outliers);
  CHECK(falsely <= 0.1 * curves);
}

TEST_CASE("screened and exact passes remove the same epochs") {
  int curves = 0, differ = 0;
  std::size_t removed = 0;
  std::ostringstream how;
  for (const std::size_t n : {10, 14, 20, 33, 60, 150, 400}) {
    for (std::uint64_t seed = 0; seed < 24; ++seed) {
      const Spoilt s = spoilt(n, 0.01 * static_cast<double>(seed % 4), seed);
      ou::Rule rule;
      const ou::Cleaned screened = ou::clean(s.curve, rule);
      rule.mode = ou::Mode::Exact;
      const ou::Cleaned exact = ou::clean(s.curve, rule);
      ++curves;
      removed += exact.removed.size();
      if (screened.removed == exact.removed) continue;
      ++differ;
      how << "N " << n << " seed " << seed << ": ln D " << screened.post.ln_d() << " screened, "
          << exact.post.ln_d() << " exact; ";
    }
  }
  INFO(how.str());
  CHECK(removed > 50);
  CHECK(differ <= 0.005 * curves);
}
