// Pieces of dr16q_prop.fits, like the catalogue of Wu & Shen (2022): what is measured in the
// spectra of DR16Q, with the traps of the real one: quantities that are missing are NaN, -999 or 0;
// a few rows stand twice; OBJID is PLATE-MJD-FIBERID, not that of SDSS's photometry.
#pragma once

#include <span>

#include "sky.hpp"
#include "table.hpp"

namespace qsohost::skysim {

// Both tables have the same rows in the same order, as the two HDUs of the real file do.
struct PropertyTables {
  Table measured{"dr16q_prop"};
  Table sdss{"dr16q_prop_sdss"};  // columns of DR16Q
};

// Of those quasars that are in DR16Q; row i of `sdss` is what sdss_dr16q has of quasar i.
PropertyTables property_rows(const Recipe& recipe, std::span<const Quasar> quasars, Table& sdss);

}  // namespace qsohost::skysim
