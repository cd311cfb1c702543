// Variability that depends on luminosity, wavelength and redshift, with stated slopes and scatter:
//
//   log10 D   = d_intercept + d_slope (log10 L_bol - 46) + d_lambda_slope log10(lambda / 2500 A)
//               + d_z_slope log10((1 + z) / 2) + d_scatter N(0, 1)
//   log10 tau = tau_intercept + tau_slope (log10 L_bol - 46) + tau_z_slope log10((1 + z) / 2)
//               + tau_scatter N(0, 1)
//
// D = sigma^2 / tau in mag^2/d, tau in days, both in the rest frame; L_bol in erg/s; lambda is the
// band's wavelength in the rest frame. sigma of each band follows from D and tau.
#pragma once

#include <cstdint>
#include <vector>

#include "qsohost/io/fits.hpp"

namespace qsohost::skysim {

struct Quasar;

struct Relation {
  double d_intercept = -3.8;
  double d_slope = -1.2;
  double d_lambda_slope = 0;
  double d_z_slope = 0;
  double d_scatter = 0.35;  // dex; one draw a quasar, which all its bands share
  double tau_intercept = 2.3;
  double tau_slope = 0;
  double tau_z_slope = 0;
  double tau_scatter = 0.35;  // dex
};

// Sets tau and the sigma of each band.
void set_variability(const Relation& relation, std::uint64_t seed, Quasar& quasar);

// The parameters and the bands' wavelengths as cards of a header.
std::vector<FitsKeyword> keywords_of(const Relation& relation);

}  // namespace qsohost::skysim
