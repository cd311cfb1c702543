// The likelihood of a damped harmonic oscillator, CARMA(2,1), seen with known errors:
//
//   x'' + alpha_1 x' + alpha_2 x = beta_0 e + beta_1 e'     (e: white noise of unit strength)
//   alpha_1 = 2 xi omega_0,  alpha_2 = omega_0^2,  tau_perturb = beta_1 / beta_0,
//   sigma^2 = var x = (beta_0^2 / alpha_2 + beta_1^2) / (2 alpha_1)
//
// (Kelly et al. 2014, ApJ 788, 33; notation of Yu, Richards et al. 2022, ApJ 936, 132, and EzTao.)
// In O(N) by the Kalman recursion over the state (u sqrt(2 alpha_1 alpha_2), u' sqrt(2 alpha_1)),
// where u is the process with beta_0 = 1, beta_1 = 0: its stationary covariance is the unit matrix,
// and x is a combination of the two, sigma times the first component once the state is rotated.
// Units: mag, d, rad/d; logarithms are natural.
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <span>
#include <vector>

namespace dho {

// A light curve ready for the recursion: time order, magnitudes relative to `reference`.
struct Series {
  std::vector<double> dt;   // d since the epoch before; 0 for the first
  std::vector<double> y;    // mag - reference
  std::vector<double> var;  // mag_err^2
  double reference = 0;     // mag
  std::size_t size() const { return y.size(); }
};

// Times must ascend (equal ones are allowed), errors must be positive, and everything finite. The
// reference is the median of the magnitudes.
Series make_series(std::span<const double> time, std::span<const double> mag,
                   std::span<const double> mag_err);

// ln sigma, ln omega_0, ln xi, ln tau_perturb.
using Parameters = Eigen::Vector4d;
enum Parameter { kSigma, kOmega, kXi, kPerturb };

// Common to all steps of an oscillator.
struct Damping {
  explicit Damping(double ln_xi);
  double xi, kk;  // xi^2 - 1
  double k;       // sqrt |kk|
  double slow;    // the slower of the two rates, in units of omega_0
};

// The evolution of the oscillator from one epoch to the next, x = omega_0 dt later. The transition
// matrix of the state is ((q + 2 xi p, p), (-p, q)), with determinant e^(-2 xi x); `lost` is 1 -
// e^(-2 xi x). No digits are lost near critical damping, xi = 1, nor for short steps.
struct Step {
  double p = 0, q = 0, lost = 1;
  double p_x = 0, p_xi = 0, q_x = 0, q_xi = 0;  // derivatives
};
Step step_over(double x, const Damping& damping);

enum class Mean {
  Fixed,     // at the reference
  Profiled,  // the one that maximises the likelihood at these parameters
};

struct Evaluation {
  double loglike = 0;
  double mean = 0;  // mag
  double chi2 = 0;  // sum over epochs of (value - prediction from earlier epochs)^2 / variance
  Parameters gradient = Parameters::Zero();
  // Fisher's information, with the expectation of squared innovation derivatives replaced by the
  // squares: never negative definite. The optimiser's metric, not an error estimate.
  Eigen::Matrix4d information = Eigen::Matrix4d::Zero();
};

Evaluation value_at(const Series& series, const Parameters& at, Mean mean);
Evaluation gradient_at(const Series& series, const Parameters& at, Mean mean);  // including
                                                                                // gradient and
                                                                                // information

}  // namespace dho
