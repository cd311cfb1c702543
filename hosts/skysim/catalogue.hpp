// Pieces of the catalogues sdss_dr16q and gaia_source.
#pragma once

#include <cmath>
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

// Proper motion and parallax as measured, with one error for all of them; mas/yr and mas.
struct Motion {
  double pmra = 0;
  double pmdec = 0;
  double parallax = 0;
  double error = 0;
  double total() const { return std::hypot(pmra, pmdec); }
};
Motion quasar_motion(const Recipe& recipe, const Quasar& quasar);  // as in gaia_source

// Zero points of the Vega system, Gaia (E)DR3: mag = zero - 2.5 lg flux. G, BP, RP.
inline constexpr std::array<double, 3> kGaiaZero{25.6873668671, 25.3385422158, 24.7478955012};

}  // namespace qsohost::skysim
