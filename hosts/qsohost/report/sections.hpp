// The sections of the report page, in the order in which the page has them. A file each.
#pragma once

#include "report/section.hpp"

namespace qsohost::cli {

// Objects and epochs stage by stage, outcomes, and what each rule of the cuts took, by band.
Section outcomes_section(const RunProducts& run);
// A sample of objects: epochs, those removed by rule, the fitted mean, residuals.
Section light_curves_section(const RunProducts& run, const ReportOptions& options);
// ln tau against ln sigma, with the regions where they are not constrained.
Section tau_sigma_section(const RunProducts& run);
// D against luminosity, black-hole mass, redshift and rest wavelength, where catalogues have them.
Section luminosity_section(const RunProducts& run);
// Ensemble structure function by band.
Section structure_function_section(const RunProducts& run);
// Redshift, magnitude, epochs and baselines of all, matched and fitted objects.
Section coverage_section(const RunProducts& run);
Section sky_section(const RunProducts& run);
// Standardised leave-one-out residuals, probability integral transform, chi2 against magnitude.
Section fit_quality_section(const RunProducts& run);
// Separations of cross-matches, beside what chance would give.
Section separations_section(const RunProducts& run);
// Requests, failures, bytes and time by archive.
Section archives_section(const RunProducts& run);
// Versions and the chain as it ran.
Section provenance_section(const RunProducts& run);

}  // namespace qsohost::cli
