// Fits of simulated light curves find the parameters these were made with.
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

TEST_CASE("parameters are found without bias, with errors that tell how well") {
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
