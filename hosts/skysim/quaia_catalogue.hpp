// Pieces of quaia.fits, like Quaia (Storey-Fisher et al. 2024): quasars of Gaia brighter than
// G = 20.5, with redshifts from spectrophotometry, some of them far off.
#pragma once

#include <span>

#include "sky.hpp"
#include "table.hpp"

namespace qsohost::skysim {

// Quasars [0, quaia_numbers) may be in Quaia. Those from recipe.sources on are in no other table:
// Quaia covers the whole sky, DR16Q a third of it.
std::uint64_t quaia_numbers(const Recipe& recipe);

// Those of these quasars that are in Quaia.
Table quaia_rows(const Recipe& recipe, std::span<const Quasar> quasars);

}  // namespace qsohost::skysim
