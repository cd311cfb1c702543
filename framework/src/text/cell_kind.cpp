#include "text/cell_kind.hpp"

#include <optional>

#include "qsohost/io/text.hpp"
#include "qsohost/names.hpp"

namespace qsohost::inline io_v1 {

namespace {

constexpr std::string_view kLargest = "9223372036854775807";  // integer of 64 bits

// Skips digits and returns how many there were.
std::size_t skip_digits(const char*& c, const char* end) {
  const char* begin = c;
  while (c != end && *c >= '0' && *c <= '9') ++c;
  return static_cast<std::size_t>(c - begin);
}

void skip_sign(const char*& c, const char* end) {
  if (c != end && (*c == '+' || *c == '-')) ++c;
}

// Of a decimal number, which nearly all cells are, without working out its value.
std::optional<CellKind> kind_of_decimal(std::string_view cell) {
  const char* c = cell.data();
  const char* const end = c + cell.size();
  skip_sign(c, end);
  const char* const first = c;
  const std::size_t whole = skip_digits(c, end);
  if (c == end) {
    if (whole == 0) return std::nullopt;
    if (whole > 1 && *first == '0') return CellKind::Text;
    const bool fits = whole < kLargest.size() ||
                      (whole == kLargest.size() && std::string_view(first, whole) <= kLargest);
    return fits || parse_int(cell) ? CellKind::Integer : CellKind::LongInteger;
  }
  std::size_t fraction = 0;
  if (*c == '.') fraction = skip_digits(++c, end);
  if (whole + fraction == 0) return std::nullopt;
  if (c == end) return CellKind::Float;
  if (*c != 'e' && *c != 'E' && *c != 'd' && *c != 'D') return std::nullopt;
  skip_sign(++c, end);
  if (skip_digits(c, end) == 0 || c != end) return std::nullopt;
  return CellKind::Float;
}

}  // namespace

CellKind kind_of(std::string_view cell) {
  cell = trimmed(cell);
  if (const auto kind = kind_of_decimal(cell)) return *kind;
  if (is_missing(cell)) return CellKind::Missing;
  if (parse_int(cell)) return CellKind::Integer;   // hexadecimal
  if (parse_double(cell)) return CellKind::Float;  // infinite
  return CellKind::Text;
}

}  // namespace qsohost::inline io_v1
