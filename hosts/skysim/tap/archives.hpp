// The archives that `skysim serve` plays with TAP.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "gaia_release.hpp"
#include "tap/service.hpp"

namespace qsohost::skysim {

// /tap-server/tap   ESA's Gaia archive: gaia_source, no epoch photometry
// /aip/tap          Gaia at AIP: gaia_source, epoch_photometry with arrays
// /TAPVizieR/tap    VizieR: "I/355/gaiadr3", and "I/355/epphot" with a row for each transit
// /TAP              IRSA: ztf_objects, neowiser_p1bs_psd
std::vector<std::unique_ptr<ArchiveService>> tap_archives(const std::filesystem::path& folder,
                                                          GaiaRelease release,
                                                          const Conditions& conditions);

}  // namespace qsohost::skysim
