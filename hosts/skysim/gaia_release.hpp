// Gaia's releases as the simulated archives serve them.
#pragma once

#include <cstdint>
#include <string>

namespace qsohost::skysim {

enum class GaiaRelease : std::uint8_t { Dr3, Dr4 };

// The ids of DR4 are other numbers than those of DR3: the HEALPix pixel is the same, the running
// number is not. Applied twice, the id of DR3 is back.
constexpr std::int64_t other_release_id(std::int64_t source_id) {
  return source_id ^ 0x1555555;
}

// Of a source, given its id in DR3.
constexpr std::int64_t id_in(GaiaRelease release, std::int64_t source_id) {
  return release == GaiaRelease::Dr4 ? other_release_id(source_id) : source_id;
}

// Of columns of epoch_photometry, given those of DR3.
inline std::string name_in(GaiaRelease release, const std::string& name) {
  if (release == GaiaRelease::Dr3) return name;
  if (name == "g_transit_time") return "g_obs_time";
  if (name.starts_with("g_transit_")) return "g_" + name.substr(10);
  return name;
}

}  // namespace qsohost::skysim
