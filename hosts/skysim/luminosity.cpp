#include "luminosity.hpp"

#include <cmath>

namespace qsohost::skysim {

namespace {

constexpr double kIMinusG = -0.1;           // mag; as in the photometry of sdss_dr16q
constexpr double kBolometricScatter = 0.1;  // dex, of L_bol at a given M_i
constexpr double kLogEddington = 38.1;  // log10 of the Eddington luminosity, erg/s per solar mass
constexpr double kLogRatio = -0.7;      // log10 of L_bol / L_Eddington: mean and scatter
constexpr double kRatioScatter = 0.3;

// 5 log10 of the luminosity distance in units of 10 pc.
double distance_modulus(double z) {
  constexpr double hubble_distance = 299792.458 / 67.6;  // Mpc
  constexpr double matter = 0.31;
  constexpr int steps = 64;  // Simpson: error below 1e-6 mag at z = 5
  const double h = z / steps;
  double sum = 0;
  for (int k = 0; k <= steps; ++k) {
    const double weight = k == 0 || k == steps ? 1 : k % 2 == 1 ? 4 : 2;
    const double a = 1 + k * h;
    sum += weight / std::sqrt(matter * a * a * a + 1 - matter);
  }
  return 5 * std::log10((1 + z) * hubble_distance * sum * h / 3) + 25;
}

}  // namespace

double absolute_magnitude(double i_mag, double z) {
  constexpr double slope = -0.5;  // of the continuum
  return i_mag - distance_modulus(z) + 2.5 * (1 + slope) * std::log10((1 + z) / 3);
}

void set_luminosity(std::uint64_t seed, Quasar& quasar) {
  Random random(seed, Stream::Luminosity, {quasar.number});
  quasar.m_i = absolute_magnitude(quasar.g_mag + kIMinusG, quasar.z);
  // M_i(z = 2) = 90 - 2.5 log10 L_bol: Shen et al. 2009, ApJ 697, 1656.
  quasar.loglbol = (90 - quasar.m_i) / 2.5 + kBolometricScatter * random.normal();
  quasar.logmbh = quasar.loglbol - kLogEddington - kLogRatio - kRatioScatter * random.normal();
}

}  // namespace qsohost::skysim
