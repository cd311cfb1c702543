// skysim load: a sky's catalogues into PostgreSQL, as WSDB has them.
#pragma once

#include <filesystem>
#include <string>

namespace qsohost::skysim {

struct LoadOptions {
  std::filesystem::path folder;
  std::string dsn;            // libpq connection string or URI; "": as the environment says
  bool is_replacing = false;  // tables of these names are dropped
};

// Tables sdssdr16qso.main, gaia_dr3.gaia_source and, where the sky has them, gaia_dr3.
// epoch_photometry; extension q3c and its indexes; clustered and analysed. All or nothing. NaN of
// the files becomes NULL; in arrays of every other row of epoch_photometry it stays NaN, for both
// occur in real databases. Throws RunError, also when a table is there already.
void load_sky(const LoadOptions& options);

}  // namespace qsohost::skysim
