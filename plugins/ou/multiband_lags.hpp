// Lags between the bands of a fit. The likelihood has kinks and many maxima along a lag, so lags
// are scanned, not climbed.
#pragma once

#include "multiband_fit.hpp"

namespace ou::multiband {

// The fit of `model`, from lag 0 if lags are to be fitted. Scans of each lag between the bounds
// and fits of all else at the best lags alternate until nothing is gained.
Fit fit_with_lags(const Series& series, const Model& model);

}  // namespace ou::multiband
