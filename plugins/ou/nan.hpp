#pragma once

#include <limits>

namespace ou {

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace ou
