// ztf_lc.fits: the light curves of each quasar as a row of arrays, named as in the products of
// qsohost, so that lightcurve-source reads them and fits need no archive.
#pragma once

#include <vector>

#include "light_curves.hpp"
#include "table.hpp"

namespace qsohost::skysim {

// The quasar's own epochs, flagged ones too. Nothing for one that a chain would not find: not in
// Gaia, not final in DR16Q, or without epochs.
void add_light_curve_row(const Quasar& quasar, const LightCurves& curves, Table& ztf_lc);

// What the header says about the times.
std::vector<FitsKeyword> light_curve_keywords();

}  // namespace qsohost::skysim
