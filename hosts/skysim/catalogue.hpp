// Pieces of the catalogues sdss_dr16q and gaia_source.
#pragma once

#include <span>
#include <vector>

#include "sky.hpp"
#include "table.hpp"

namespace qsohost::skysim {

// Rows of SDSS DR16Q: quasars [first, first + quasars.size()).
Table sdss_rows(const Recipe& recipe, std::uint64_t first, std::span<const Quasar> quasars);

// Rows of gaia_source of these quasars, their companions and duplicates.
Table gaia_rows(const Recipe& recipe, std::uint64_t first, std::span<const Quasar> quasars);
// Rows of gaia_source of stars [first, first + count).
Table star_rows(const Recipe& recipe, std::uint64_t first, std::size_t count);

// Zero points of the Vega system, Gaia (E)DR3: mag = zero - 2.5 lg flux. G, BP, RP.
inline constexpr std::array<double, 3> kGaiaZero{25.6873668671, 25.3385422158, 24.7478955012};

}  // namespace qsohost::skysim
