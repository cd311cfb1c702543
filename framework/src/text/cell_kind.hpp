// What a cell is, of a column whose header declares no type.
#pragma once

#include <cstdint>
#include <string_view>

namespace qsohost::inline io_v1 {

enum class CellKind : std::uint8_t {
  Missing,
  Integer,
  LongInteger,  // beyond 64 bits
  Float,
  Text  // also digits with a leading zero: 0012
};

CellKind kind_of(std::string_view cell);

}  // namespace qsohost::inline io_v1
