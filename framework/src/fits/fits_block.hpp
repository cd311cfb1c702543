// The sizes that the FITS standard gives (version 4.0, sections 3.1 and 3.3.1).
#pragma once

#include <cstddef>

namespace qsohost::inline io_v1 {

constexpr std::size_t kFitsBlock = 2880;  // bytes
constexpr std::size_t kFitsCard = 80;     // bytes

}  // namespace qsohost::inline io_v1
