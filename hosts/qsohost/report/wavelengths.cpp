#include "report/wavelengths.hpp"

#include <algorithm>
#include <utility>

namespace qsohost::cli {

std::optional<double> effective_wavelength(std::string_view group) {
  static constexpr std::pair<std::string_view, double> kBands[] = {
      {"ztf.g", 4746},   {"ztf.r", 6366},   {"ztf.i", 7829},  {"gaia.g", 6218},
      {"gaia.bp", 5110}, {"gaia.rp", 7769}, {"sdss.u", 3557}, {"sdss.g", 4702},
      {"sdss.r", 6176},  {"sdss.i", 7490},  {"sdss.z", 8947},
  };
  const auto at = std::ranges::find(kBands, group, &std::pair<std::string_view, double>::first);
  return at == std::end(kBands) ? std::nullopt : std::optional(at->second);
}

}  // namespace qsohost::cli
