// Epoch photometry as DataLink writes it, of one source or of several.
#pragma once

#include "gaia_release.hpp"
#include "tap/answer.hpp"
#include "tap/fits_rows.hpp"

namespace qsohost::skysim {

// Structure INDIVIDUAL: a row for each transit. `valid_only`: those with a flux in each band.
// `row`: with the fields of EpochStore.
TapRows transit_rows(const FitsRow& row, GaiaRelease release, bool valid_only);
// Structure RAW: a row for each source, transits in arrays.
std::vector<TapColumn> raw_columns(GaiaRelease release);
std::vector<TapCell> raw_row(const FitsRow& row, GaiaRelease release);

// In VOTables of transits, what all rows have in common stands in PARAMs.
std::string write_transits(const TapRows& rows, TapFormat format, GaiaRelease release);

std::string release_name(GaiaRelease release);  // Gaia DR3

}  // namespace qsohost::skysim
