// How the header of a table describes the form of a column: TFORMn and TDIMn (FITS standard 4.0,
// sections 7.2.1, 7.3.1 and 7.3.2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "qsohost/column.hpp"

namespace qsohost::inline io_v1 {

inline constexpr double kUnsigned64 = 0x1p63;  // TZERO of unsigned 64-bit numbers

// TFORMn of a binary table: rT, rPT(max) or rQT(max), rAw.
struct FitsForm {
  std::uint64_t repeat = 1;
  char code = 0;  // letter of an element
  bool is_array = false;
  bool wide = false;           // Q: descriptors of 64 bits
  std::uint64_t argument = 0;  // w or max
};
std::optional<FitsForm> parse_form(std::string_view text);

// TFORMn of a text table: Aw, Iw, Fw.d, Ew.d, Dw.d.
struct FitsTextForm {
  char code = 0;
  std::size_t width = 0;     // characters
  std::size_t decimals = 0;  // d: how many digits follow the point in a cell without one
};
std::optional<FitsTextForm> parse_text_form(std::string_view text);

// The axes in TDIMn, "(4,3)", if they divide cells of `elements` as a whole, else none: SDSS
// CasJobs writes (1) for texts of any length.
std::vector<std::size_t> parse_axes(std::string_view text, std::uint64_t elements);

// Bytes of an element in a binary table; 0 for bits and for letters that FITS does not have.
std::size_t element_size(char code);
// The letter in which we write.
char code_of(DType dtype);
// The type of a number in memory: scaled ones are f64, unsigned ones the next wider integer.
DType number_type(char code, double scale, double zero);
// The same for a text table. Nine digits fit into i32.
DType text_number_type(const FitsTextForm& form, double scale, double zero);

}  // namespace qsohost::inline io_v1
