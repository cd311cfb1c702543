// Gaia's releases as the simulated archives serve them.
#pragma once

#include <cstdint>

namespace qsohost::skysim {

enum class GaiaRelease : std::uint8_t { Dr3, Dr4 };

// The ids of DR4 are other numbers than those of DR3: the HEALPix pixel is the same, the running
// number is not. Applied twice, the id of DR3 is back.
constexpr std::int64_t other_release_id(std::int64_t source_id) {
  return source_id ^ 0x1555555;
}

}  // namespace qsohost::skysim
