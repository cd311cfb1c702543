// Positions of a table's columns in its rows, as read from headers or chosen for writing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fits/fits_bytes.hpp"
#include "fits/fits_cards.hpp"
#include "qsohost/io/fits.hpp"

namespace qsohost::inline io_v1 {

struct FieldPlace {
  std::size_t offset = 0;         // in the row
  std::size_t bytes = 0;          // in the row; of an array, its descriptor
  char code = 'D';                // FITS letter of an element
  std::size_t element_bytes = 0;  // strings and cells of text tables: of one of them
  bool wide = false;              // array with 64-bit descriptors (Q)
  bool letters = false;           // logical array: T, F and 0 for null, whatever the values
  double scale = 1;               // TSCAL
  double zero = 0;                // TZERO
  std::optional<std::int64_t> null;

  bool is_text = false;                  // a cell of a text table
  std::size_t decimals = 0;              // of a text without a point: digits that follow it
  std::optional<std::string> null_text;  // TNULL of a text table
};

struct FitsLayout {
  std::string extension;
  std::optional<FitsCards> cards;  // of a table to be read
  int hdu = 1;                     // the primary is 0
  std::optional<TimeSystem> time_system;
  std::vector<FitsField> fields;
  std::vector<FieldPlace> places;
  std::uint64_t rows = 0;
  std::uint64_t row_bytes = 0;
  std::uint64_t data_start = 0;  // in the file
  std::uint64_t heap_start = 0;  // from the start of the data
  std::uint64_t heap_bytes = 0;
};

// The table that find_table() finds. Throws RunError if the file is shorter than its header says.
FitsLayout read_layout(const OpenedFile& file, std::string_view hdu = "");

// The layout in which we write such fields: P descriptors up to `most_for_p` bytes of heap, else Q.
FitsLayout make_layout(std::vector<FitsField> fields, std::uint64_t rows, std::uint64_t heap_bytes,
                       std::uint64_t most_for_p);

// "HDU 1 'ztf', row 12, column 'mjd_g'"; rows are counted from 0.
std::string place_in(const FitsLayout& layout, std::size_t field, std::uint64_t row);
// The array of a row; throws RunError if it lies outside the heap.
Descriptor array_of(const OpenedFile& file, const FitsLayout& layout, std::size_t field,
                    std::uint64_t row, const std::byte* row_bytes);

std::string tform(const FitsField& field, const FieldPlace& place);
// TDIMn; empty for single values and vectors of numbers.
std::string tdim(const FitsField& field);
// QBOOLn = 'T': the elements of column n, arrays of flags, are letters, as the standard says; a
// byte 0 is then a missing value.
inline constexpr const char* kLettersKey = "QBOOL";

// How programs should display the column (TDISPn); empty if their default is right.
std::string display_format(const FitsField& field);

}  // namespace qsohost::inline io_v1
