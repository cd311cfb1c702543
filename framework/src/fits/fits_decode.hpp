// Cells of tables to values of columns.
#pragma once

#include <cstddef>
#include <string_view>

#include "fits/fits_layout.hpp"
#include "qsohost/column.hpp"

namespace qsohost::inline io_v1 {

// Where values are: the cells of a column in consecutive rows, or (one row) an array in the heap.
struct StoredCells {
  const std::byte* from;
  std::size_t width;       // values in a cell
  std::size_t rows = 1;    // cells
  std::size_t stride = 0;  // bytes from one cell to the next
};

// Decodes numbers or flags of a binary table into existing values of the column, from `at` on.
void decode(const FieldPlace& place, const StoredCells& cells, Column& out, std::size_t at,
            bool is_array);

// Appends texts of a table, or the digits of unsigned numbers, to a column of strings.
void append_texts(const FieldPlace& place, const StoredCells& cells, Column& out);

// Stores the number in a cell of a text table as value `at`; false if it holds no such number.
bool decode_text_number(const FieldPlace& place, const std::byte* from, Column& out,
                        std::size_t at);

// Whether the integer in a cell of a text table is beyond the range of i64.
bool is_beyond_i64(const FieldPlace& place, const std::byte* from);

// The characters of a cell without blanks at their end, as an error quotes them.
std::string_view cell_text(const FieldPlace& place, const std::byte* from);

}  // namespace qsohost::inline io_v1
