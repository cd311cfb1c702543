// Maximum-likelihood fits of the damped harmonic oscillator inside a box of its parameters.
#pragma once

#include <cstdint>

#include "dho_likelihood.hpp"

namespace dho {

struct Box {
  Parameters low, high;
};

// sigma 0.001 to 100 mag, omega_0 1e-5 to 100 rad/d, xi 0.01 to 1000, tau_perturb 1e-4 to 1e4 d.
Box standard_box();

struct Fit {
  bool converged = false;
  Parameters at;
  double mean = 0;  // mag
  double loglike = 0;
  double chi2 = 0;
  // Bit 2 i: parameter i is at its lower bound; bit 2 i + 1: at its upper one.
  std::uint8_t bounds = 0;
  // From the curvature of the likelihood. A parameter on its bound counts as known and has zeros.
  // NaN where the likelihood is not concave.
  Eigen::Matrix4d covariance;
};

// The global maximum. The likelihood is evaluated on a grid of oscillators between the shortest and
// the longest times that the light curve constrains, and along the damped random walks, which are
// the limit tau_perturb = tau_rise. Fisher scoring climbs from the best starts of different kinds,
// and Newton steps refine the highest maximum to full precision.
Fit fit_global(const Series& series, const Box& box, Mean mean);

}  // namespace dho
