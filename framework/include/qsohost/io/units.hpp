// Units of numbers in tables: angles, times, lengths, magnitudes, electrons, energies and fluxes,
// with SI prefixes, powers, products, quotients and a scale in front. Spellings are those of VOUnit
// and FITS, and others that are common in survey tables: "erg s-1 cm-2 Hz-1", "erg/s/cm2/Hz",
// "10**-29 W m-2 Hz-1", "'electron'.s**-1", "Degrees", "mag(AB)".
#pragma once

#include <optional>
#include <string_view>

#include "qsohost/api.hpp"
#include "qsohost/column.hpp"

namespace qsohost::inline io_v1 {

// A number in unit `from` times this is the number in unit `to`. None if one of the units is
// unknown or they measure different things.
//
// - Equal spellings have factor 1, even of units that are unknown here.
// - "", "-", "--", "---", "none" and "null" state no unit: factor 1 with any other.
// - "h" beside an angle is an hour angle, 15 deg. No other unit of time is an angle.
// - Texts that can be read in two ways, such as "erg/s cm2", are unknown; so are logarithms, such
// as
//   "dex" and "[cm/s2]", and "A", which is ampere or Angstrom.
QSOHOST_API std::optional<double> unit_factor(std::string_view from, std::string_view to);

// Converts the values in place and sets the column's unit to `to`. Integers become f64 unless the
// factor is 1; nulls stay null. With `to` == "" nothing is converted and the column keeps its unit.
// Throws RunError, which names file, column, option (where the user wrote the column's name), its
// unit and the one wanted, if there is no factor, or the column holds texts or bools and the factor
// is not 1.
QSOHOST_API void convert_unit(Column& column, std::string_view to, std::string_view file,
                              std::string_view option);

}  // namespace qsohost::inline io_v1
