// What the header of a text table declares of a column's cells.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "qsohost/column.hpp"

namespace qsohost::inline io_v1 {

struct CellType {
  std::string name{};            // as the header spells it: "float64"; "" if nothing is declared
  std::optional<DType> dtype{};  // none: what the cells allow
  bool is_list = false;          // a JSON list in each cell, of `width` elements
  bool is_array = false;         // a list of any length
  std::size_t width = 1;
  std::vector<std::size_t> shape{};  // as in ColumnInfo
  std::string problem{};             // why it cannot be read; empty if it can
};

}  // namespace qsohost::inline io_v1
