// The structure function of a light curve: how much magnitudes differ after a lag, in bins of lag,
// corrected for measurement errors.
//
//   mean-square:  SF^2 = <dm^2 - e_i^2 - e_j^2>
//                 (Simonetti, Cordes & Heeschen 1985, ApJ 296, 46; error-corrected)
//   iqr:          SF^2 = (0.7413 IQR(dm))^2 - <e_i^2 + e_j^2>
//                 (MacLeod et al. 2012, ApJ 753, 106)
//
// over all pairs i < j of the bin, dm = m_j - m_i. For a damped random walk
// SF^2 = SF_inf^2 (1 - exp(-lag / tau)) with SF_inf = sqrt(2) sigma (MacLeod et al. 2010).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <vector>

namespace sf {

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kSigmaPerIqr = 0.741301109;  // of a normal distribution

enum class Estimator : std::uint8_t { MeanSquare, Iqr };

struct Bin {
  std::size_t pairs = 0;
  double lag = 0;      // d, mean of the pairs; the middle of an empty bin
  double sf2 = 0;      // mag^2, may be negative; NaN with too few pairs
  double sf2_err = 0;  // mag^2, as if pairs were independent, so a lower bound; NaN with too few
                       // pairs
  double noise = 0;    // mag^2, <e_i^2 + e_j^2>; NaN with too few pairs
};

// Edges of `bins` bins of equal width in the logarithm of the lag.
std::vector<double> edges_between(double lag_min, double lag_max, std::size_t bins);

// Times ascend. A pair belongs to the bin with edges[k] <= lag < edges[k + 1]. Memory does not grow
// with the number of pairs. Returns nothing if `stop_requested`, which is polled at each epoch.
std::vector<Bin> bin_pairs(
    std::span<const double> time, std::span<const double> mag, std::span<const double> mag_err,
    std::span<const double> edges, Estimator estimator, std::size_t min_pairs,
    const std::function<bool()>& stop_requested = [] { return false; });

}  // namespace sf
