// Magnitudes to luminosities, as DR16Q and Wu & Shen (2022) have them.
#pragma once

#include "sky.hpp"

namespace qsohost::skysim {

// M_i, K-corrected to z = 2, of a quasar of this i magnitude: flat universe with H0 = 67.6 km/s/Mpc
// and Om = 0.31, continuum f_nu ~ nu^-0.5.
double absolute_magnitude(double i_mag, double z);

// Sets m_i, loglbol and logmbh from g_mag and z. Quasars of equal M_i differ in L_bol, because
// the bolometric correction varies from quasar to quasar, and in mass by their Eddington ratios.
void set_luminosity(std::uint64_t seed, Quasar& quasar);

}  // namespace qsohost::skysim
