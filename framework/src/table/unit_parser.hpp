// Reads units: their names, prefixes, products and powers.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace qsohost::inline io_v1 {

// Exponents of: arcsec, s, m, g, mag, electron. Angles are not dimensionless here: a proper motion
// is no frequency.
using Dimensions = std::array<int, 6>;
inline constexpr Dimensions kAngle{1};
inline constexpr Dimensions kMagnitude{0, 0, 0, 0, 1};

// up / down * 10^ten of the base units. Kept apart because nearly all units are ratios of integers:
// the factor between two of them is then rounded once.
struct Unit {
  double up = 1;
  double down = 1;
  int ten = 0;
  Dimensions dimensions{};
};

// None for texts that are no unit or an unknown one.
std::optional<Unit> parse_unit(std::string_view text);

}  // namespace qsohost::inline io_v1
