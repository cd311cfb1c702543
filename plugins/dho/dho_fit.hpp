// Maximum-likelihood fits of the damped harmonic oscillator inside a box of its parameters.
#pragma once

#include <cstdint>

#include "dho_climb.hpp"

namespace dho {

// sigma 0.001 to 100 mag, omega_0 1e-5 to 100 rad/d, xi 0.01 to 1000, tau_perturb 1e-4 to 1e4 d.
Box standard_box();

struct Fit {
  bool converged = false;  // to 1e-4 in log-likelihood, mostly to 1e-7
  Parameters at;
  double mean = 0;  // mag
  double loglike = 0;
  double chi2 = 0;
  // Bit 2 i: parameter i is at its lower bound; bit 2 i + 1: at its upper one.
  std::uint8_t bounds = 0;
  // From the curvature of the likelihood. A parameter on its bound counts as known and has zeros.
  // 1000 along a direction in which the likelihood is flat; NaN where it is not concave.
  Eigen::Matrix4d covariance;
  double loglike_walk = 0;  // of the best damped random walk, see walks()
};

// The global maximum. Damped random walks and oscillators on a grid climb side by side; the best
// walk is then given a second time. The highest maximum is refined by Newton steps.
Fit fit_global(const Series& series, const Box& box, Mean mean);

}  // namespace dho
