// Maximum-likelihood fits of the OU process inside a box of its parameters.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "ou_likelihood.hpp"

namespace ou {

// Natural logarithms of mag and d.
struct Box {
  double ln_sigma_min, ln_sigma_max;
  double ln_tau_min, ln_tau_max;
  // Jitter is not fitted, but 0, where the upper bound is.
  double ln_jitter_min = -std::numeric_limits<double>::infinity();
  double ln_jitter_max = -std::numeric_limits<double>::infinity();
  bool has_jitter() const { return std::isfinite(ln_jitter_max); }
};

// sigma 0.001 to 100 mag, tau 0.1 to 10,000 d; jitter none, or 1e-6 mag to that of sigma.
Box standard_box();
Box with_jitter(Box box);

enum Bound : std::uint8_t {
  kSigmaLow = 1,
  kSigmaHigh = 2,
  kTauLow = 4,
  kTauHigh = 8,
  kJitterLow = 16,
};

// One standard deviation, from the curvature of the likelihood. A parameter on its bound has NaN
// and counts as known for the other; NaN as well where the likelihood is not concave.
struct Errors {
  double ln_sigma, ln_tau, ln_d;
  double covariance;            // of (ln sigma, ln tau)
  double ln_jitter;             // NaN if not fitted
  bool some_undefined() const;  // of sigma and tau
};

struct Fit {
  bool converged = false;
  double ln_sigma = 0;
  double ln_tau = 0;
  double ln_jitter = -std::numeric_limits<double>::infinity();  // not fitted
  double mean = 0;                                              // mag
  double loglike = 0;
  double chi2 = 0;  // of the one-step residuals
  // Of fit_global() only: errors, and minus the second derivatives in Coordinates (by rows, lower
  // triangle).
  Errors errors{};
  std::array<double, 6> curvature{};
  std::uint8_t bounds = 0;  // Bound flags of the optimum
  int evaluations = 0;      // number of likelihoods with gradient computed

  Parameters parameters() const { return {ln_sigma, ln_tau, ln_jitter}; }
  bool has_jitter() const { return std::isfinite(ln_jitter); }
  double ln_d() const { return 2 * ln_sigma - ln_tau; }
};

// The likelihood along tau with sigma near its best at each: the starting points of a fit, and the
// centre of a search for other maxima.
struct RidgePoint {
  double ln_sigma, ln_tau;
  double loglike;
  double slope;      // d loglike / d ln tau
  double curvature;  // information on ln sigma
};

struct Ridge {
  std::vector<RidgePoint> points;  // ascending tau
  int evaluations = 0;
};
// At these values of ln tau, until at most about `enough` can be gained in log-likelihood.
// `before`: the ridge of the light curve with a few epochs more, which saves steps.
Ridge ridge_at(const Series& series, const Box& box, Mean mean, std::span<const double> ln_taus,
               double ln_jitter, double enough, const Ridge* before = nullptr);
Ridge look_along_tau(const Series& series, const Box& box, Mean mean,
                     const Ridge* before = nullptr);

struct Start;

// The global maximum: climbs from every maximum of the ridge (with and without jitter, where that
// is fitted), and from `more`, side by side, and from the highest on to full precision. `more`:
// near maxima, so that no other climb starts near them.
Fit fit_global(const Series& series, const Box& box, Mean mean, const Ridge& ridge,
               std::span<const Parameters> more = {});

// Distance from the maximum at which a climb ends, in standard deviations of the parameters.
enum class Precision : std::uint8_t { Screening, Full };  // 1e-2, 1e-7

// A fit for each start (which may omit an epoch), without searching for other maxima. Runs in SIMD
// lanes.
std::vector<Fit> fit_each(const Series& series, const Box& box, Mean mean,
                          std::span<const Start> starts, Precision precision = Precision::Full);

// Differences below are rounding or early stopping.
inline constexpr double kSameLoglike = 1e-6;

// So close that they certainly climb to the same maximum: about the spacing of a ridge.
bool are_near(const Parameters& a, const Parameters& b);

// For sorts and maxima of numbers that may be NaN, which counts as the lowest.
bool is_lower(double a, double b);

// The better of two: the second only if it gains more than rounding.
const Fit& better(const Fit& first, const Fit& second);

}  // namespace ou
