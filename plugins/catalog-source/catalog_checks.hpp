// Checks of a catalogue before the run begins.
#pragma once

#include <string>

#include <qsohost/io/input_table.hpp>
#include <qsohost/plugin.hpp>

namespace catalog {

// The columns of identifiers and positions.
struct KeyColumns {
  std::size_t id = 0;
  std::size_t ra = 0;
  std::size_t dec = 0;
};

// Throws RunError if an id is missing or (unless repeats are kept) duplicated, or a position is not
// a point on the sky in degrees. Reads the table once; uses 16 bytes a row.
void check_rows(qsohost::InputTable& table, const KeyColumns& keys, bool keeps_repeats = false);

// The column of ra or dec (f64, deg), converted from the unit that was read.
qsohost::Column position_column(const qsohost::Column& read, const std::string& name);

}  // namespace catalog
