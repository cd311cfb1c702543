// What light_curve_fitter.hpp says of usable epochs, redshifts, rounded times and two sources.
#pragma once

#include <cstddef>
#include <span>

#include "qsohost/light_curve_fitter.hpp"

namespace qsohost::inline v1 {

// Limits that the description of the flags names too.
inline constexpr double kLeastRelativeError = 1e-15;  // of the median
inline constexpr double kNinesAbove = 20;             // medians
inline constexpr double kSentinelAbove = 1000;        // medians
inline constexpr double kLargestRedshift = 20;
inline constexpr double kCoarseSpacing = 0.001;    // d
inline constexpr double kDisagreement = 5;         // standard deviations
inline constexpr double kLeastDisagreement = 0.1;  // mag
inline constexpr std::size_t kFewestDisagreements = 2;
inline constexpr double kDisagreeingFraction = 0.02;  // of the exposures

// `times`: ascending, as fetched.
bool are_rounded_to_32_bits(std::span<const double> times);

// In time order.
bool has_two_sources(const CurveToFit& curve);

}  // namespace qsohost::inline v1
