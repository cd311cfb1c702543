// Fits of simulated light curves recover their parameters.
#include <array>
#include <catch2/catch.hpp>
#include <cmath>

#include "dho_fit.hpp"
#include "dho_starts.hpp"
#include "simulate.hpp"

using dho::Mean;
using dho::Parameters;
using simulate::logs;

namespace {

dho::Fit fit(const simulate::Curve& c, Mean mean = Mean::Profiled) {
  return dho::fit_global(simulate::series_of(c), dho::standard_box(), mean);
}

}  // namespace

TEST_CASE("parameters are recovered without bias, and their errors have the right size") {
  const Parameters truth = logs(0.2, 0.05, 0.35, 6);
  constexpr int kCurves = 250;
  int converged = 0, with_errors = 0;
  Parameters sum = Parameters::Zero(), squares = Parameters::Zero();
  for (int i = 0; i < kCurves; ++i) {
    const dho::Fit found =
        fit(simulate::curve(180, 1000 + static_cast<std::uint64_t>(i), truth, 2500, 0.01));
    converged += found.converged;
    const Parameters errors = found.covariance.diagonal().cwiseSqrt();
    if (!found.converged || found.bounds != 0 || !errors.allFinite()) continue;
    ++with_errors;
    const Parameters pull = (found.at - truth).cwiseQuotient(errors);
    sum += pull;
    squares += pull.cwiseProduct(pull);
  }
  CHECK(converged == kCurves);
  CHECK(with_errors > 0.95 * kCurves);
  for (int k = 0; k < 4; ++k) {
    const double mean = sum[k] / with_errors;
    const double scatter = std::sqrt(squares[k] / with_errors - mean * mean);
    INFO("parameter " << k << ": mean of (found - true) / error " << mean << ", scatter "
                      << scatter);
    CHECK(std::abs(mean) < 0.3);
    CHECK(scatter == Approx(1).margin(0.25));
  }
}

TEST_CASE("epochs at equal times are fitted, however small their errors") {
  for (const double error : {1e-5, 1e-7, 1e-9}) {
    INFO("errors " << error);
    simulate::Curve c = simulate::curve(40, 8, logs(0.2, 0.05, 0.6, 2), 400, error);
    for (std::size_t i = 1; i < 40; i += 2) {
      c.time[i] = c.time[i - 1];
      c.mag[i] = c.mag[i - 1] + error * (static_cast<double>(i % 5) - 2);
    }
    const dho::Fit found = fit(c);
    CHECK(found.converged);
    CHECK(found.at[dho::kSigma] == Approx(std::log(0.2)).margin(1));
  }
}

TEST_CASE("parameters on a bound have no part in the errors of the others") {
  // A sinusoid, so well determined that the curvature in ln omega exceeds 1e8.
  simulate::Curve c;
  for (int i = 0; i < 200; ++i) {
    c.time.push_back(10 * i + 3 * std::sin(i));
    c.mag.push_back(18 + 0.2 * std::sin(0.05 * c.time.back()));
    c.mag_err.push_back(1e-4);
  }
  dho::Box box{logs(0.2, 0.04, 1e-9, 1), logs(0.2, 0.06, 1e-9, 1)};
  const dho::Series series = simulate::series_of(c);
  const dho::Fit found = dho::fit_global(series, box, Mean::Profiled);
  REQUIRE(found.converged);
  CHECK(found.at[dho::kOmega] == Approx(std::log(0.05)).margin(1e-5));
  const double by = 1e-5;
  const auto slope = [&](double step) {
    const Parameters at = found.at + step * Parameters::Unit(dho::kOmega);
    return dho::evaluate(series, {at}, Mean::Profiled, dho::Want::Gradient).gradient[dho::kOmega];
  };
  const double curvature = (slope(-by) - slope(by)) / (2 * by);
  CHECK(curvature > 1e8);
  CHECK(found.covariance(dho::kOmega, dho::kOmega) == Approx(1 / curvature).epsilon(0.1));
  CHECK(found.covariance(dho::kSigma, dho::kSigma) == 0);
}

TEST_CASE("fits find the highest maximum of many climbs") {
  // More in tests/benchmarks/dho_study.cpp.
  const dho::Space all{dho::standard_box()};
  int fitted = 0, missed = 0;
  for (const std::size_t n : {30, 60, 100}) {
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
      const simulate::Curve c = simulate::any_curve(n, seed);
      const dho::Series series = simulate::series_of(c);
      simulate::Random random(seed);
      std::vector<dho::Climb> climbs;
      for (int i = 0; i < 400; ++i) {
        const double omega = random.ratio(2e-4, 100), xi = random.ratio(0.01, 100);
        const Parameters at =
            logs(random.ratio(0.05, 1), omega, xi, random.ratio(0.01, 100) / omega);
        climbs.emplace_back(dho::Start{&all, {at}, 1e-3});
      }
      dho::run(series, Mean::Profiled, climbs);
      const double most = dho::highest(climbs, &all)->value().loglike;
      const dho::Fit found = fit(c);
      INFO("curve " << seed << " of " << n << " epochs: " << found.loglike << ", by many climbs "
                    << most);
      CHECK(found.converged);
      CHECK(found.loglike >= found.loglike_walk);
      missed += most > found.loglike + 0.01;
      ++fitted;
    }
  }
  INFO(missed << " of " << fitted << " missed");
  CHECK(missed == 0);
}

TEST_CASE("the best damped random walk is found") {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const dho::Series series = simulate::series(100, 60 + seed, simulate::walk(0.15, 150, 2));
    double best = -1e300;  // of all random walks, whatever their second time
    for (double ln_tau = 0; ln_tau < 9; ln_tau += 0.1) {
      std::vector<dho::Trial> trials;
      for (double ln_sigma = -4; ln_sigma < 1; ln_sigma += 0.1)
        trials.push_back({simulate::walk(std::exp(ln_sigma), std::exp(ln_tau), 2)});
      for (const auto& e : dho::evaluate_all(series, trials, Mean::Profiled, dho::Want::Value))
        best = std::max(best, e.loglike);
    }
    const dho::Fit found = dho::fit_global(series, dho::standard_box(), Mean::Profiled);
    INFO("curve " << seed);
    CHECK(found.converged);
    CHECK(found.loglike_walk > best - 1e-6);
    CHECK(found.loglike_walk < best + 0.1);
    CHECK(found.loglike >= found.loglike_walk);
  }
}
