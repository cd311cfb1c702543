// The likelihood of all bands of an object at once. Model M, one process seen in every band:
//
//   y_i = mean_b + sigma_b x(t_i - lag_b) + e_i,   cov(x(u), x(u')) = exp(-|u - u'| / tau),
//   var(e_i) = mag_err_i^2 + jitter_b^2            for an epoch i of band b.
//
// Model M2, partly coherent bands, adds to each band a process of its own with standard deviation
// ratio_b sigma_b and a damping time tau_2 that the bands share.
//
// Both take O(N): a Kalman recursion over the epochs of all bands in the order of t - lag, with a
// state of one number (M) or one and one a band (M2). The gradient and the leave-one-out
// predictions come from the sweep back. Units: sigma, jitter and means mag, tau and lags d.
// Logarithms are natural.
//
// A band without epochs acts on nothing: its derivatives are 0, its mean is its reference, with an
// infinite variance. The mean of a band with a single epoch absorbs that epoch unless the means are
// given; the band then says nothing of its sigma.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace ou::multiband {

inline constexpr std::size_t kMostBands = 8;

template <class T>
using PerBand = std::array<T, kMostBands>;

// The epochs of all bands of an object in the order of time; equal times in the order of bands.
struct Series {
  std::size_t bands = 0;           // at most kMostBands; some may have no epochs
  std::vector<double> time;        // d since some zero, in the frame of the fit
  std::vector<std::uint8_t> band;  // of each epoch
  std::vector<double> y;           // mag - reference of its band
  std::vector<double> var;         // mag_err^2
  PerBand<double> reference{};     // mag
  std::size_t size() const { return y.size(); }
};

// A series of epochs in any order. `order[i]` is the place of the series' epoch i in the input.
// Errors must be positive, and everything finite. Equal epochs in any order give equal series.
struct SortedSeries {
  Series series;
  std::vector<std::size_t> order;
};
SortedSeries make_series(std::size_t bands, std::span<const double> time,
                         std::span<const std::uint8_t> band, std::span<const double> mag,
                         std::span<const double> mag_err, const PerBand<double>& reference);

// `series` without the epochs with ignored[i].
Series without(const Series& series, std::span<const std::uint8_t> ignored);

inline constexpr PerBand<double> kNoJitter = [] {
  PerBand<double> out{};
  out.fill(-std::numeric_limits<double>::infinity());
  return out;
}();

struct Parameters {
  double ln_tau = 0;
  PerBand<double> ln_sigma{};
  PerBand<double> lag{};  // d in the frame of the fit; > 0: the band follows
  PerBand<double> ln_jitter = kNoJitter;
};

// What M2 adds.
struct Incoherent {
  double ln_tau = 0;           // of tau_2
  PerBand<double> ln_ratio{};  // minus infinity: the band is coherent
};

enum class Mean {
  Given,     // each band has its `reference` as mean
  Profiled,  // the means that maximise the likelihood at these parameters (generalised least
             // squares, jointly over the bands)
  Marginal,  // integrated over with density 1 per mag each: the profiled likelihood times
             // sqrt((2 pi)^B / det(H' K^-1 H)) for the B bands with epochs
};

// d loglike / d parameter; 0 for a parameter that does not act.
struct Gradient {
  double ln_tau = 0;
  PerBand<double> ln_sigma{}, lag{}, ln_jitter{};
  Incoherent incoherent{};  // M2 only
};

struct Evaluation {
  double loglike = 0;
  double chi2 = 0;         // sum over epochs of (value - prediction from earlier ones)^2 / variance
  PerBand<double> mean{};  // mag; the expected one if it is marginal
  PerBand<double> mean_var{};  // mag^2 at these parameters; 0 if given
  Gradient gradient{};
};

enum class Want {
  Value,
  Gradient,          // all but the lags' part
  GradientWithLags,  // The likelihood has a kink in lag_b wherever an epoch of b meets one of
                     // another band; exactly there, the mean of the derivatives on both sides.
};

// Evaluations of the same epochs side by side in SIMD lanes.
std::vector<Evaluation> evaluate_all(const Series& series, std::span<const Parameters> trials,
                                     Mean mean, Want want);
// M2. `incoherent`: as many as `trials`.
std::vector<Evaluation> evaluate_all(const Series& series, std::span<const Parameters> trials,
                                     std::span<const Incoherent> incoherent, Mean mean, Want want);

Evaluation evaluate(const Series& series, const Parameters& parameters, Mean mean, Want want);
Evaluation evaluate(const Series& series, const Parameters& parameters,
                    const Incoherent& incoherent, Mean mean, Want want);

// For each epoch the prediction from all other epochs of all bands at the same parameters, in the
// series' order. Unless the means are given, they too are estimated from the rest, and `var`
// includes their uncertainty. Where no other epoch of the band is used, and the means are not
// given, nothing is known: mean and logpdf are NaN, var is infinite.
struct LeaveOneOut {
  double loglike = 0;          // of all epochs that are used
  std::vector<double> mean;    // mag
  std::vector<double> var;     // mag^2, of the observation: process and error
  std::vector<double> logpdf;  // ln p(y_i | the rest)
  // The log-likelihood of the rest, with means of the same kind; always finite.
  std::vector<double> loglike_without;
};

// Epochs with ignored[i] (if given) are predicted like the rest but not used: neither in
// predictions, nor in the means, nor in `loglike`, which is then also their `loglike_without`.
LeaveOneOut leave_one_out(const Series& series, const Parameters& parameters, Mean mean,
                          std::span<const std::uint8_t> ignored = {});
LeaveOneOut leave_one_out(const Series& series, const Parameters& parameters,
                          const Incoherent& incoherent, Mean mean,
                          std::span<const std::uint8_t> ignored = {});

// The process as `band` shows it, its mean included, at `times` (ascending; on the scale of
// Series::time), given all epochs of all bands that are not ignored.
struct Predicted {
  std::vector<double> mean;  // mag
  std::vector<double> var;   // mag^2
};
Predicted predict_at(const Series& series, std::span<const std::uint8_t> ignored,
                     std::span<const double> times, std::size_t band, const Parameters& parameters,
                     Mean mean);
Predicted predict_at(const Series& series, std::span<const std::uint8_t> ignored,
                     std::span<const double> times, std::size_t band, const Parameters& parameters,
                     const Incoherent& incoherent, Mean mean);

}  // namespace ou::multiband
