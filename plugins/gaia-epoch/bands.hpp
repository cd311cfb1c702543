// Gaia's bands and epoch flags, shared by the stages for Gaia.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace gaia {

inline constexpr std::array<std::string_view, 3> kBands{"g", "bp", "rp"};

std::string group_of(std::string_view band);  // "gaia.g"

std::size_t band_of_group(std::string_view group);  // index in kBands; 0 for other groups

struct Flag {
  std::string name;   // in the table epoch_photometry and in a batch
  std::string group;  // the light curve that it describes
  bool in_product;    // see Port::in_product
};

// All 28 in the order of the table: photometry_flag_noisy_data, of SM, AF1 to AF9, BP and RP
// _unavailable and _reject, variability_flag_{g,bp,rp}_reject. Those of BP and RP apply to these
// bands, all the rest to G.
const std::vector<Flag>& flags();

}  // namespace gaia
