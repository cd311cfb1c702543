// Maximum-likelihood fits of the OU process inside a box of (ln sigma, ln tau), with Ceres.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "ou_likelihood.hpp"

namespace ou {

// Natural logarithms of mag and d.
struct Box {
  double ln_sigma_min, ln_sigma_max;
  double ln_tau_min, ln_tau_max;
};

// sigma 0.001 to 100 mag, tau 0.1 to 10,000 d.
Box standard_box();

enum Bound : std::uint8_t { kSigmaLow = 1, kSigmaHigh = 2, kTauLow = 4, kTauHigh = 8 };

struct Fit {
  bool converged = false;
  double ln_sigma = 0;
  double ln_tau = 0;
  double mean = 0;  // mag
  double loglike = 0;
  std::uint8_t bounds = 0;  // Bound flags of the optimum
  int evaluations = 0;      // number of likelihoods with gradient computed

  Parameters parameters() const { return {ln_sigma, ln_tau}; }
  double ln_d() const { return 2 * ln_sigma - ln_tau; }
};

// One standard deviation, from the curvature of the likelihood. A parameter on its bound has NaN
// and counts as known for the other; NaN as well where the likelihood is not concave.
struct Errors {
  double ln_sigma, ln_tau, ln_d;
  double covariance;  // of (ln sigma, ln tau)
  bool some_undefined() const;
};
Errors errors_of(const Series& series, const Fit& fit, Mean mean);

// The likelihood along tau with sigma near its best at each: the starting points of a fit, and the
// centre of a search for other maxima.
struct RidgePoint {
  double ln_sigma, ln_tau;
  double loglike;
  double slope;  // d loglike / d ln tau
};

struct Ridge {
  std::vector<RidgePoint> points;  // ascending tau
  int evaluations = 0;
};
// `before`: the ridge of the light curve with a few epochs more, which makes this one faster.
Ridge look_along_tau(const Series& series, const Box& box, Mean mean,
                     const Ridge* before = nullptr);

class Surface;
struct Point;
struct Start;
Fit fit_at(const Surface& surface, const Box& box, const Point& point, int evaluations);

// Climbs from one start with Ceres.
Fit fit_from(const Series& series, const Box& box, Mean mean, const Parameters& start);

// The global maximum: climbs from every maximum of the ridge, and from `more`, side by side;
// Ceres takes the highest to full precision.
Fit fit_global(const Series& series, const Box& box, Mean mean, const Ridge& ridge,
               std::span<const Parameters> more = {});

// The global maximum where a maximum is known: climbs only if the ridge has others.
Fit highest_of(const Series& series, const Box& box, Mean mean, const Ridge& ridge,
               const Fit& known);

// Distance from the maximum at which a climb ends, in standard deviations of the parameters.
enum class Precision : std::uint8_t { Screening, Full };  // 1e-2, 1e-7

// A fit for each start (which may omit an epoch), without searching for other maxima. Runs in SIMD
// lanes; those that do not converge are refined by Ceres to full precision.
std::vector<Fit> fit_each(const Series& series, const Box& box, Mean mean,
                          std::span<const Start> starts, Precision precision = Precision::Full);

// So close that they certainly climb to the same maximum: about the spacing of a ridge.
bool are_near(const Parameters& a, const Parameters& b);

// For sorts and maxima of numbers that may be NaN, which counts as the lowest.
bool is_lower(double a, double b);

// The better of two: the second only if it gains more than rounding.
const Fit& better(const Fit& first, const Fit& second);

}  // namespace ou
