// Gaia's tables as ESA, AIP and VizieR serve them.
#pragma once

#include <filesystem>
#include <string>

#include "gaia_release.hpp"
#include "tap/table.hpp"

namespace qsohost::skysim {

// gaiadr3.gaia_source or gaiadr4.gaia_source, made of gaia_source.fits.
TapTable gaia_source_table(const std::filesystem::path& folder, GaiaRelease release);
// gaiadr4.dr3_neighbourhood
TapTable neighbourhood_table(const std::filesystem::path& folder);
// A row for each source, transits in arrays. `shown_id`: the name of source_id in answers, if
// it is another one.
TapTable epoch_photometry_table(const std::filesystem::path& folder, GaiaRelease release,
                                const std::string& shown_id);
// VizieR's "I/355/gaiadr3", and "I/355/epphot" with a row for each transit.
TapTable vizier_source_table(const std::filesystem::path& folder);
TapTable vizier_epoch_table(const std::filesystem::path& folder);

}  // namespace qsohost::skysim
