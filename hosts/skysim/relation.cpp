#include "relation.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstddef>

#include "sky.hpp"

namespace qsohost::skysim {

namespace {

// Angstrom, in the order of kBands: effective wavelengths of ZTF, pivot wavelengths of Gaia DR3.
constexpr std::array<double, kBands.size()> kWavelengths{4723, 6340, 7886, 6218, 5110, 7769};

constexpr double kPivotLuminosity = 46;
constexpr double kPivotWavelength = 2500;
constexpr double kPivotStretch = 2;  // 1 + z

}  // namespace

void set_variability(const Relation& relation, std::uint64_t seed, Quasar& quasar) {
  Random random(seed, Stream::Relation, {quasar.number});
  const double luminosity = quasar.loglbol - kPivotLuminosity;
  const double stretch = std::log10((1 + quasar.z) / kPivotStretch);
  const double log_tau = relation.tau_intercept + relation.tau_slope * luminosity +
                         relation.tau_z_slope * stretch + relation.tau_scatter * random.normal();
  const double log_d = relation.d_intercept + relation.d_slope * luminosity +
                       relation.d_z_slope * stretch + relation.d_scatter * random.normal();
  quasar.tau = std::pow(10, log_tau);
  for (std::size_t b = 0; b < kBands.size(); ++b) {
    const double wavelength = kWavelengths[b] / (1 + quasar.z);
    const double log_d_of_band =
        log_d + relation.d_lambda_slope * std::log10(wavelength / kPivotWavelength);
    quasar.processes[b].sigma = std::pow(10, 0.5 * (log_d_of_band + log_tau));
  }
}

std::vector<FitsKeyword> keywords_of(const Relation& relation) {
  const auto card = [](std::string name, double value, std::string comment) {
    return FitsKeyword{std::move(name), "", std::move(comment), value};
  };
  std::vector<FitsKeyword> cards{
      card("D_ICEPT", relation.d_intercept, "log10 D at log L = 46, 2500 A, z = 1"),
      card("D_LUM", relation.d_slope, "slope of log10 D with log10 L_bol"),
      card("D_LAMBDA", relation.d_lambda_slope, "slope with log10 of rest wavelength"),
      card("D_Z", relation.d_z_slope, "slope with log10(1 + z)"),
      card("D_SCATT", relation.d_scatter, "scatter of log10 D, dex"),
      card("T_ICEPT", relation.tau_intercept, "log10 tau at log L = 46, z = 1"),
      card("T_LUM", relation.tau_slope, "slope of log10 tau with log10 L_bol"),
      card("T_Z", relation.tau_z_slope, "slope with log10(1 + z)"),
      card("T_SCATT", relation.tau_scatter, "scatter of log10 tau, dex")};
  for (std::size_t b = 0; b < kBands.size(); ++b) {
    cards.push_back(card(fmt::format("WAVE{}", b + 1), kWavelengths[b],
                         fmt::format("wavelength of {}, Angstrom", kBands[b])));
  }
  return cards;
}

}  // namespace qsohost::skysim
