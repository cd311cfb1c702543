#include "bands.hpp"

#include <fmt/format.h>

namespace gaia {

namespace {

constexpr std::array<std::string_view, 12> kUnits{"sm",  "af1", "af2", "af3", "af4", "af5",
                                                  "af6", "af7", "af8", "af9", "bp",  "rp"};

std::vector<Flag> make_flags() {
  const std::string g = group_of("g");
  std::vector<Flag> out{{"photometry_flag_noisy_data", g, true}};
  for (const std::string_view kind : {"unavailable", "reject"}) {
    for (const std::string_view unit : kUnits) {
      const bool is_band = unit == "bp" || unit == "rp";
      const bool in_product = unit == "sm" || (is_band && kind == "unavailable");
      out.push_back({fmt::format("photometry_flag_{}_{}", unit, kind), is_band ? group_of(unit) : g,
                     in_product});
    }
  }
  for (const std::string_view band : kBands) {
    out.push_back({fmt::format("variability_flag_{}_reject", band), group_of(band), true});
  }
  return out;
}

}  // namespace

std::string group_of(std::string_view band) {
  return fmt::format("gaia.{}", band);
}

std::size_t band_of_group(std::string_view group) {
  for (std::size_t band = 0; band < kBands.size(); ++band) {
    if (group == group_of(kBands[band])) return band;
  }
  return 0;
}

const std::vector<Flag>& flags() {
  static const std::vector<Flag> all = make_flags();
  return all;
}

}  // namespace gaia
