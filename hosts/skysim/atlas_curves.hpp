// ATLAS forced photometry of one quasar: nights of four exposures in c or o from 2015 to 2026.
#pragma once

#include "sky.hpp"
#include "table.hpp"

namespace qsohost::skysim {

inline constexpr double kAtlasLast = 61200;  // MJD of the last night

struct AtlasTables {
  Table curves{"atlas"};  // a row for each quasar, exposures in arrays
  Table truth{"atlas_truth"};

  // Nothing for a twin. Some quasars have no exposures.
  void add(const Recipe& recipe, const Quasar& quasar);
};

}  // namespace qsohost::skysim
