// skysim load: writes a sky's catalogues to PostgreSQL, as in WSDB.
#pragma once

#include <filesystem>
#include <string>

namespace qsohost::skysim {

struct LoadOptions {
  std::filesystem::path folder;
  std::string dsn;            // libpq connection string or URI; "": from the environment
  bool is_replacing = false;  // existing tables are dropped
};

// Tables sdssdr16qso.main, gaia_dr3.gaia_source and, if the sky has it, gaia_dr3.epoch_photometry;
// extension q3c and its indexes; clustered and analysed. One transaction. NaN in the files becomes
// NULL; in arrays of every other row of epoch_photometry it stays NaN, because both occur in real
// databases. Throws RunError, also if a table exists.
void load_sky(const LoadOptions& options);

}  // namespace qsohost::skysim
