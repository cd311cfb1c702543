// What a table in a file holds, for `qsohost describe`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "qsohost/io/input_table.hpp"

namespace qsohost::cli {

struct ColumnSummary {
  InputColumn column;
  std::uint64_t missing = 0;       // cells, or elements of arrays, in the rows looked at
  std::vector<std::string> first;  // the first cells, as texts
  bool repeats = false;            // two of the rows looked at have the same cell
  std::uint64_t shortest = 0;      // of arrays
  std::uint64_t longest = 0;
  std::vector<std::string> values;  // the different cells, sorted, if there are few

  bool is_array() const { return column.is_array || column.info.width > 1; }
};

struct TableSummary {
  std::string file;
  std::string hdu;   // as asked for
  std::string form;  // "FITS table", ...
  std::uint64_t rows = 0;
  std::uint64_t looked_at = 0;  // rows, from the first one on
  std::vector<ColumnSummary> columns;
  std::vector<std::string> warnings;
  std::string time_system;  // "" if it is not known
};

// The table chosen by `hdu`; with "" all tables of the file, the first one first.
std::vector<TableSummary> summarize(const std::string& file, const std::string& hdu);

}  // namespace qsohost::cli
