// Cleaning of all bands of an object by the predictions of their joint fit.
#pragma once

#include <functional>
#include <vector>

#include "loo_clean.hpp"
#include "multiband_fit.hpp"

namespace ou::multiband {

struct Cleaned {
  Ending ending = Ending::Clean;
  Fit fit;                            // of the epochs kept; of all if it gave up
  std::vector<std::uint8_t> removed;  // by epoch
};

// Every band is cleaned alone first (clean_by_prediction), because outliers ruin a joint fit. Then
// joint fits of the good epochs and tests of all alternate until nothing changes. `rule`: false
// alarms and max_removed_fraction count by band; min_points is what a band must keep.
Cleaned clean_by_prediction(const Series& series, const Model& model, const Rule& rule);

}  // namespace ou::multiband
