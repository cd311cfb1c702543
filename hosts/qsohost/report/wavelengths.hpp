// Effective wavelengths of the bands of surveys.
#pragma once

#include <optional>
#include <string_view>

namespace qsohost::cli {

// Angstrom, observed; none for a group that is not known here. SVO Filter Profile Service
// (Rodrigo and Solano 2020): lambda_ref of Palomar/ZTF, GAIA/GAIA3 and SLOAN/SDSS.
std::optional<double> effective_wavelength(std::string_view group);

}  // namespace qsohost::cli
