#include "relate/wavelength.hpp"

#include <fmt/format.h>

#include "qsohost/error.hpp"

namespace qsohost::cli {

std::optional<double> known_wavelength(const std::string& group) {
  // ZTF: effective wavelengths, SDSS: pivot wavelengths, SVO Filter Profile Service (Rodrigo &
  // Solano 2020). Gaia: pivot wavelengths, Riello et al. 2021, A&A 649, A3.
  static const std::map<std::string, double> kKnown{
      {"ztf.g", 4746},   {"ztf.r", 6366},   {"ztf.i", 7829},  {"gaia.g", 6218},
      {"gaia.bp", 5110}, {"gaia.rp", 7769}, {"sdss.u", 3557}, {"sdss.g", 4702},
      {"sdss.r", 6176},  {"sdss.i", 7490},  {"sdss.z", 8947}};
  const auto found = kKnown.find(group);
  return found == kKnown.end() ? std::nullopt : std::optional(found->second);
}

double wavelength_of(const std::string& group, const std::map<std::string, double>& more) {
  if (const auto given = more.find(group); given != more.end()) return given->second;
  if (const auto known = known_wavelength(group)) return *known;
  throw UsageError(fmt::format(
      "--x loglambda: no wavelength of '{}' is known; give it in Angstrom: --wavelength {}=5000",
      group, group));
}

}  // namespace qsohost::cli
