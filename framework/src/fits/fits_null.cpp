#include "fits/fits_null.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "qsohost/error.hpp"

namespace qsohost::inline io_v1 {

std::int64_t least_value(DType dtype) {
  switch (dtype) {
    case DType::I16:
      return std::numeric_limits<std::int16_t>::min();
    case DType::I32:
      return std::numeric_limits<std::int32_t>::min();
    default:
      return std::numeric_limits<std::int64_t>::min();
  }
}

NullMarker::NullMarker(DType dtype) : least_(least_value(dtype)), seen_(kSearched) {}

std::optional<std::int64_t> NullMarker::value(std::string_view file,
                                              std::string_view column) const {
  if (!has_nulls_ && !seen_[0]) return std::nullopt;
  const auto free = std::ranges::find(seen_, false);
  if (free != seen_.end()) return least_ + (free - seen_.begin());
  if (!has_nulls_) return std::nullopt;
  throw RunError(fmt::format(
      "{}: column '{}' holds each of the {} least values of its type, so none is left to mark the "
      "missing ones in a FITS file; leave it out",
      file, column, kSearched));
}

}  // namespace qsohost::inline io_v1
