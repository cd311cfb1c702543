// What marks nulls in an integer column that we write (TNULLn): the least value of its type that
// the column does not hold. A column without TNULLn has no nulls and does not hold the least value
// of its type (but for an i16 that holds all), so tables can be merged with no look at their
// values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "qsohost/column.hpp"

namespace qsohost::inline io_v1 {

std::int64_t least_value(DType dtype);  // of i16, i32 or i64

// Finds the least value that does not occur.
class NullMarker {
 public:
  explicit NullMarker(DType dtype);

  void see(std::int64_t value) {  // of the type
    const std::uint64_t i = static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(least_);
    if (i < kSearched) seen_[i] = true;
  }
  void see_null() { has_nulls_ = true; }
  // None if the column needs no marker. Throws RunError, which names file and column, if it has
  // nulls and each of the 65,536 least values of its type, all that an i16 can be.
  std::optional<std::int64_t> value(std::string_view file, std::string_view column) const;

 private:
  static constexpr std::size_t kSearched = 65536;
  std::int64_t least_;
  std::vector<bool> seen_;
  bool has_nulls_ = false;
};

}  // namespace qsohost::inline io_v1
