#include "data/doubts.hpp"

#include <cmath>
#include <cstddef>

namespace qsohost::inline v1 {

namespace {

// Whether the differences of pairs of epochs, none of them in two pairs, are larger than their
// errors and the process allow. A fit whose errors are too small shortens tau until the residuals
// agree; but then it still allows too little between epochs that are close to each other.
bool close_pairs_disagree(const CurveToFit& curve, const FitQuality& fit) {
  double pairs = 0, chi2 = 0;
  for (std::size_t k = 1; k < curve.size(); ++k) {
    const double lag = curve.time[k] - curve.time[k - 1];
    if (!(lag < kCloseInTau * fit.tau)) continue;
    const double process = -2 * fit.sigma * fit.sigma * std::expm1(-lag / fit.tau);
    const double variance = std::pow(curve.mag_err[k], 2) + std::pow(curve.mag_err[k - 1], 2);
    chi2 += std::pow(curve.mag[k] - curve.mag[k - 1], 2) / (variance + process);
    ++pairs;
    ++k;
  }
  if (pairs == 0) return false;
  // Wilson and Hilferty: the cube root of chi2 / pairs is close to normal even for few pairs.
  const double variance = 2 / (9 * pairs);
  return std::cbrt(chi2 / pairs) > 1 - variance + kUnlikelyPairs * std::sqrt(variance);
}

}  // namespace

std::int32_t doubts(const CurveToFit& curve, const FitQuality& fit) {
  std::int32_t flags = 0;  // comparisons with NaN are false
  if (curve.baseline < kFewestTaus * fit.tau) flags |= kShortBaseline;
  if (fit.tau < curve.median_cadence) flags |= kFasterThanCadence;
  if (fit.bic_const < fit.bic) flags |= kConstantPreferred;
  if (fit.chi2 > fit.degrees + kUnlikelyChi2 * std::sqrt(2 * fit.degrees) ||
      close_pairs_disagree(curve, fit))
    flags |= kErrorsTooSmall;
  return flags;
}

}  // namespace qsohost::inline v1
