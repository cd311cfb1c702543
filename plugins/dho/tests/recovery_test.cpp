// Fits of simulated light curves recover their parameters.
#include <array>
#include <catch2/catch.hpp>
#include <cmath>

#include "dho_fit.hpp"
#include "simulate.hpp"

using dho::Parameters;

namespace {

Parameters logs(double sigma, double omega, double xi, double tau_perturb) {
  return {std::log(sigma), std::log(omega), std::log(xi), std::log(tau_perturb)};
}

dho::Fit fit(const simulate::Curve& c, dho::Mean mean = dho::Mean::Profiled) {
  return dho::fit_global(dho::make_series(c.time, c.mag, c.mag_err), dho::standard_box(), mean);
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
  const dho::Series series = dho::make_series(c.time, c.mag, c.mag_err);
  const dho::Fit found = dho::fit_global(series, box, dho::Mean::Profiled);
  REQUIRE(found.converged);
  CHECK(found.at[dho::kOmega] == Approx(std::log(0.05)).margin(1e-5));
  const double by = 1e-5;
  const auto slope = [&](double step) {
    const Parameters at = found.at + step * Parameters::Unit(dho::kOmega);
    return dho::gradient_at(series, at, dho::Mean::Profiled).gradient[dho::kOmega];
  };
  const double curvature = (slope(-by) - slope(by)) / (2 * by);
  CHECK(curvature > 1e8);
  CHECK(found.covariance(dho::kOmega, dho::kOmega) == Approx(1 / curvature).epsilon(0.1));
  CHECK(found.covariance(dho::kSigma, dho::kSigma) == 0);
}
