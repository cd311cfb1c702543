// Cells of text tables as values of columns.
#pragma once

#include <string_view>

#include "qsohost/io/cells.hpp"
#include "text/cell_type.hpp"

namespace qsohost::inline io_v1 {

// Adds a cell to a column (and to `lengths`, if it is one of arrays). False if the cell is not of
// the column's type; then it may have been added in part.
bool append_cell(const CellType& declared, std::string_view cell, Cells& to);

}  // namespace qsohost::inline io_v1
