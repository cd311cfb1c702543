// The likelihood of an Ornstein-Uhlenbeck process (damped random walk) seen with known errors:
//
//   cov(y_i, y_k) = sigma^2 exp(-|t_i - t_k| / tau) + [i = k] (mag_err_i^2 + jitter^2)
//
// in O(N) by the Kalman recursion (Kelly, Bechtold & Siemiginowska 2009, ApJ 698, 895),
// with the gradient from the same sweep, and leave-one-out predictions of all epochs from one
// forward and one backward sweep. Units: sigma and jitter mag, tau d, D = sigma^2 / tau mag^2/d.
// Logarithms are natural.
#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace ou {

// A light curve ready for the sweeps: time order, magnitudes relative to `reference`.
struct Series {
  std::vector<double> dt;   // d since the epoch before; 0 for the first
  std::vector<double> y;    // mag - reference
  std::vector<double> var;  // mag_err^2
  double reference = 0;     // mag
  std::size_t size() const { return y.size(); }
};

// Times must ascend (equal ones are fine), errors be positive, everything finite.
Series make_series(std::span<const double> time, std::span<const double> mag,
                   std::span<const double> mag_err, double reference);

// `series` without its epoch j, relative to another reference.
Series without(const Series& series, std::size_t j, double reference);

struct Parameters {
  double ln_sigma = 0;
  double ln_tau = 0;
  double ln_jitter = -std::numeric_limits<double>::infinity();  // no jitter
};

enum class Mean {
  Fixed,     // the process has mean `reference`
  Profiled,  // the mean that maximises the likelihood at these parameters (generalised least
             // squares)
};

struct Evaluation {
  double loglike = 0;
  double mean = 0;  // mag
  // d loglike / d (ln sigma, ln tau, ln jitter); at the profiled mean the same as with it held.
  std::array<double, 3> gradient{};
  // Elements (sigma sigma), (sigma tau), (tau tau) of an estimate of the information matrix in
  // (ln sigma, ln tau): Fisher's, with the expectation of squared innovation derivatives replaced
  // by the squares. Never negative definite; the metric of the optimiser, no error estimate.
  std::array<double, 3> information{};
};

enum class Want {
  Value,
  Gradient,            // and information
  GradientWithJitter,  // needs a finite ln_jitter
};

Evaluation evaluate(const Series& series, const Parameters& parameters, Mean mean, Want want);

// For each epoch the prediction from all the others at the same parameters, in the series' order.
// Mean::Profiled: the mean too is estimated from the others, and its uncertainty is in `var`.
struct LeaveOneOut {
  std::vector<double> mean;    // mag
  std::vector<double> var;     // mag^2, of the observation: process and error
  std::vector<double> logpdf;  // ln p(y_j | the others)
};

LeaveOneOut leave_one_out(const Series& series, const Parameters& parameters, Mean mean);

}  // namespace ou
