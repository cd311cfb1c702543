#include "relate/wavelength.hpp"

#include <fmt/format.h>

#include "qsohost/error.hpp"

namespace qsohost::cli {

double wavelength_of(const std::string& group, const std::map<std::string, double>& more) {
  // ZTF: effective wavelengths, SVO Filter Profile Service (Rodrigo & Solano 2020). Gaia: pivot
  // wavelengths, Riello et al. 2021, A&A 649, A3.
  static const std::map<std::string, double> kKnown{{"ztf.g", 4746},   {"ztf.r", 6366},
                                                    {"ztf.i", 7829},   {"gaia.g", 6218},
                                                    {"gaia.bp", 5110}, {"gaia.rp", 7769}};
  for (const auto& known : {more, kKnown}) {
    const auto found = known.find(group);
    if (found != known.end()) return found->second;
  }
  throw UsageError(fmt::format(
      "--x loglambda: no wavelength of '{}' is known; give it in Angstrom: --wavelength {}=5000",
      group, group));
}

}  // namespace qsohost::cli
