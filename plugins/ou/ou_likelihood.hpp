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
#include <cstdint>
#include <limits>
#include <optional>
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

// Times must ascend (equal ones are allowed), errors must be positive, and everything finite.
Series make_series(std::span<const double> time, std::span<const double> mag,
                   std::span<const double> mag_err, double reference);

// `series` without some of its epochs (each named once, in any order), relative to the same
// reference.
Series without(const Series& series, std::vector<std::size_t> removed);

struct Parameters {
  double ln_sigma = 0;
  double ln_tau = 0;
  double ln_jitter = -std::numeric_limits<double>::infinity();  // no jitter
};

enum class Mean {
  Fixed,     // the process has mean `reference`
  Profiled,  // the mean that maximises the likelihood at these parameters (generalised least
             // squares)
  Marginal,  // integrated over with density 1 per mag: the profiled likelihood times
             // sqrt(2 pi / 1' K^-1 1)
};

struct Evaluation {
  double loglike = 0;
  double mean = 0;  // mag; the expected one if it is marginal
  double chi2 = 0;  // sum over epochs of (value - prediction from earlier epochs)^2 / variance
  // d loglike / d (ln sigma, ln tau, ln jitter); at the profiled mean the same as with it fixed.
  std::array<double, 3> gradient{};
  // The lower triangle, by rows, of an estimate of the information matrix: Fisher's, with the
  // expectation of squared innovation derivatives replaced by the squares. Never negative definite.
  // The optimiser's metric, not an error estimate.
  std::array<double, 6> information{};
};

enum class Want {
  Value,
  PlainGradient,
  Gradient,            // and information
  GradientWithJitter,  // needs a finite ln_jitter
};

Evaluation evaluate(const Series& series, const Parameters& parameters, Mean mean, Want want);

// One of several evaluations of the same light curve, side by side in SIMD lanes.
struct Trial {
  Parameters at;
  std::optional<std::size_t> omitted{};  // excludes this epoch from the likelihood
  // Only with Want::Value and Mean::Fixed: a squared innovation above `cap` variances counts as
  // `cap`, and the prediction ignores that epoch: a likelihood that is robust to outliers.
  double cap = std::numeric_limits<double>::infinity();
};

// Single: for searches. Twice as fast, and sums over epochs are good to about 1e-5 of their size.
// Series beyond the range of single precision take Double all the same.
enum class Digits { Double, Single };

// Equals evaluate() up to rounding, but is several times faster.
std::vector<Evaluation> evaluate_all(const Series& series, std::span<const Trial> trials, Mean mean,
                                     Want want, Digits digits = Digits::Double);

// For each epoch the prediction from all the rest at the same parameters, in the series' order.
// Unless the mean is fixed, it too is estimated from the rest, and `var` includes its uncertainty.
struct LeaveOneOut {
  double loglike = 0;          // of all epochs
  std::vector<double> mean;    // mag
  std::vector<double> var;     // mag^2, of the observation: process and error
  std::vector<double> logpdf;  // ln p(y_j | the rest)
};

// Epochs with ignored[i] (if given) as in leave_one_out_all().
LeaveOneOut leave_one_out(const Series& series, const Parameters& parameters, Mean mean,
                          std::span<const std::uint8_t> ignored = {});

// The process itself at `times` (ascending; d since the first epoch), given all epochs that are not
// ignored.
struct Predicted {
  std::vector<double> mean;  // mag
  std::vector<double> var;   // mag^2
};
Predicted predict_at(const Series& series, std::span<const std::uint8_t> ignored,
                     std::span<const double> times, const Parameters& parameters, Mean mean);

// The same for several parameters side by side: epoch j of trial k is at [j * stride + k].
enum class LooWant { Densities, Predictions, All };  // loglike and: logpdf; residual, var; all
struct LooTable {
  std::size_t stride = 0;
  std::vector<double> loglike;                // of all epochs, by trial
  std::vector<double> residual, var, logpdf;  // value - prediction in mag; mag^2
  std::vector<double> scratch;                // kept for the next call
};
// Epochs with ignored[i] (if given) are predicted like the rest but not used: neither in
// predictions, nor in the mean, nor in `loglike`.
void leave_one_out_all(const Series& series, std::span<const Parameters> trials, Mean mean,
                       LooWant wanted, LooTable& table, std::span<const std::uint8_t> ignored = {},
                       Digits digits = Digits::Double);

// For each epoch the highest of loglike[k] - ln p(epoch | the rest) over the trials of `table`;
// trials are passed over by a `loglike` of -infinity.
std::vector<double> highest_without_each(const LooTable& table, std::vector<double> loglike);

}  // namespace ou
