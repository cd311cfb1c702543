// A response whose end is not known is requested again until two are equal.
#pragma once

#include <cstddef>

namespace qsohost::inline v1 {

constexpr std::size_t kMostUnequal = 5;  // requests
constexpr int kTurnStep = 1000;          // each with a `turn` that much higher than the last

}  // namespace qsohost::inline v1
