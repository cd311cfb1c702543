// The transits of one source through Gaia's fields of view, and their measurements.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "light_curves.hpp"

namespace qsohost::skysim {

// Times only, in order, without measurements.
std::vector<GaiaTransit> gaia_transits(const Recipe& recipe, const Quasar& quasar);

// `paths`: the unit Ornstein-Uhlenbeck process at the time of each transit.
void measure(const Recipe& recipe, const Quasar& quasar, std::span<const double> path,
             std::span<GaiaTransit> transits);

}  // namespace qsohost::skysim
