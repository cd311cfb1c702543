#pragma once

#include <chrono>

namespace qsohost::inline v1 {

// Seconds as the steady clock counts them.
inline std::chrono::steady_clock::duration ticks(std::chrono::duration<double> time) {
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(time);
}

}  // namespace qsohost::inline v1
