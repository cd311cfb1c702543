// Checks of a catalogue before the run begins.
#pragma once

#include <cstddef>
#include <span>

#include <qsohost/io/input_table.hpp>

namespace catalog {

// Throws RunError if an id is missing or (unless repeats are kept) duplicated, or a position is not
// a point on the sky in degrees. Reads the table once; uses 16 bytes a row. `columns` begins with
// those of identifiers, ra and dec.
void check_rows(qsohost::InputTable& table, std::span<const std::size_t> columns,
                bool keeps_repeats);

}  // namespace catalog
