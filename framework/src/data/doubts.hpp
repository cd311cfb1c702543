// Limits of doubts(), which the description of the flags names too.
#pragma once

#include "qsohost/light_curve_fitter.hpp"

namespace qsohost::inline v1 {

inline constexpr double kFewestTaus = 10;       // in the baseline
inline constexpr double kUnlikelyChi2 = 3;      // standard deviations of chi2
inline constexpr double kCloseInTau = 0.1;      // lag of pairs of epochs
inline constexpr double kUnlikelyPairs = 2.33;  // standard deviations: 1 % by chance

}  // namespace qsohost::inline v1
