// Wavelengths of the bands of surveys.
#pragma once

#include <map>
#include <optional>
#include <string>

namespace qsohost::cli {

// Angstrom, of a light curve such as "ztf.g"; none if it is not known here.
std::optional<double> known_wavelength(const std::string& group);

// The same; `more` has those that the user gave, which count.
// Throws UsageError, which names the option to give it by, if it is not known.
double wavelength_of(const std::string& group, const std::map<std::string, double>& more);

}  // namespace qsohost::cli
