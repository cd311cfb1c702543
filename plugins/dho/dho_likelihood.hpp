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

enum class Mean {
  Fixed,     // at the reference
  Profiled,  // the one that maximises the likelihood at these parameters
  Marginal,  // integrated over, with a density of 1 per mag
};

// The mean near `mean` is looked for: a guess, which the information needs (see Evaluation).
struct Trial {
  Parameters at;
  double mean = 0;  // mag - reference; not for Mean::Fixed
};

struct Evaluation {
  double loglike = 0;
  double mean = 0;  // mag - reference; the one that maximises the likelihood if it is not fixed
  double chi2 = 0;  // sum over epochs of (value - prediction from earlier epochs)^2 / variance
  Parameters gradient = Parameters::Zero();
  // Fisher's information, with the expectation of squared innovation derivatives replaced by the
  // squares, at the trial's mean: never negative definite. The optimiser's metric, not an error
  // estimate.
  Eigen::Matrix4d information = Eigen::Matrix4d::Zero();
};

enum class Want { Value, Gradient };  // Gradient: information, too

// All trials side by side, in SIMD lanes: eight with AVX-512, four with AVX2.
std::vector<Evaluation> evaluate_all(const Series& series, std::span<const Trial> trials, Mean mean,
                                     Want want);
Evaluation evaluate(const Series& series, const Trial& trial, Mean mean, Want want);

// Of the best constant with the same errors; integrated over with Mean::Marginal.
double loglike_of_constant(const Series& series, Mean mean);

}  // namespace dho
