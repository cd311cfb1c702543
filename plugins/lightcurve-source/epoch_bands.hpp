// Which band a row is of, in tables with one row an epoch.
#pragma once

#include <cstddef>
#include <string>

#include <qsohost/plugin.hpp>

#include "curve_layout.hpp"

namespace curves {

// What a cell of the band column holds, as option band_value writes it; "" if the value is missing.
std::string band_text(const qsohost::Column& bands, std::size_t row);

// Counts the rows of each band in the whole table. Warns of rows that belong to no light curve,
// with their values, and of light curves without rows; throws RunError if no row belongs to any.
void check_row_bands(InputFile& file, const Layout& layout, qsohost::Context& context);

}  // namespace curves
