#pragma once

#include <limits>

namespace qsohost::skysim {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();  // of a value that is not there

}  // namespace qsohost::skysim
