// What a file with tables has: columns, cells read from them, and other tables.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "qsohost/api.hpp"
#include "qsohost/column.hpp"

namespace qsohost::inline io_v1 {

// A column as the file declares it. The unit is spelled as in the file.
struct InputColumn {
  ColumnInfo info;        // width: elements of a fixed cell; 1 for arrays
  bool is_array = false;  // arrays of any length, one a row
  std::string problem{};  // why it cannot be read; empty if it can
  // Of forms that declare no types (CSV): the first cell that is no integer, and the first that is
  // no number: "line 2 has '1.5'"; empty for a column without values, as in a table without rows.
  // Of a column that is declared a text both say that.
  std::string not_integer{};
  std::string not_number{};
};

// What was read of one column: `rows` cells; of an array column the arrays end to end and the
// length of each.
struct Cells {
  Column values;
  std::vector<std::uint64_t> lengths{};  // one a row for arrays, else empty
};

// Makes arrays of the columns with fixed cells of several values, as programs write arrays that are
// all of one length or are padded. If all columns are such, of one width, the arrays of a row end
// at the last number in a column of floats: padding is NaN. Flags and texts have no padding of
// their own.
QSOHOST_API void fixed_to_arrays(std::span<Cells> columns);

// Another table of the same file, which the user may have meant.
struct OtherTable {
  std::string name;  // as option `hdu` takes it: a name or a number
  std::uint64_t rows = 0;
  std::vector<std::string> columns;
};

}  // namespace qsohost::inline io_v1
