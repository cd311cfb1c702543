// The contents of the simulated sky. Each quasar and star is a function of the seed and its number,
// so any thread can make any of them in any order, without a stored list.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "random.hpp"
#include "relation.hpp"
#include "sphere.hpp"

namespace qsohost::skysim {

// How the errors of magnitudes depend on the magnitude.
enum class ErrorLaw : std::uint8_t {
  Survey,  // as in the archives: they grow with magnitude
  Flat     // kFlatError, for all sources in all bands
};
inline constexpr double kFlatError = 0.03;  // mag

struct Recipe {
  std::uint64_t seed = 1;
  std::uint64_t sources = 1000;  // rows of sdss_dr16q
  std::uint64_t stars = 4000;    // rows of gaia_source unrelated to them
  bool is_clean = false;         // no bad epochs, outliers, neighbours, pairs or duplicates
  ErrorLaw error_law = ErrorLaw::Survey;
  std::optional<Relation> relation{};  // none: variability that depends on nothing
};

// Passbands with light curves.
inline constexpr std::array<std::string_view, 6> kBands{"ztf_g",  "ztf_r",   "ztf_i",
                                                        "gaia_g", "gaia_bp", "gaia_rp"};
inline constexpr std::size_t kZtfBands = 3;

// An Ornstein-Uhlenbeck process in one band: covariance sigma^2 exp(-|dt|/tau), rest frame.
struct Process {
  double sigma = 0;   // mag
  double mean = 0;    // mag
  double jitter = 0;  // mag; white noise not included in the reported errors
};

struct Quasar {
  std::uint64_t number = 0;
  std::int64_t source_id = 0;  // Gaia DR3
  Position sdss;
  Position gaia;
  double z = 0;
  double g_mag = 0;  // Gaia G
  double bp_rp = 0;
  double m_i = 0;      // absolute, K-corrected to z = 2
  double loglbol = 0;  // log10, erg/s
  double logmbh = 0;   // log10, solar masses
  double tau = 0;      // days, rest frame
  std::array<Process, kBands.size()> processes;
  bool is_final = true;  // IS_QSO_FINAL
  bool is_twin = false;  // a second entry of the previous quasar, without data of its own
  bool in_gaia = true;
  bool has_gaia_epochs = false;
  bool has_companion = false;      // another Gaia source inside 1 arcsec
  bool is_duplicated = false;      // its source_id occurs twice in gaia_source
  bool has_split_epochs = false;   // two rows in gaia_epoch
  bool has_neighbour = false;      // another ZTF object inside 2 arcsec
  bool has_far_neighbour = false;  // and one at 2 to 6 arcsec
};
Quasar make_quasar(const Recipe& recipe, std::uint64_t number);
std::string sdss_name(const Position& position);  // hhmmss.ss+ddmmss.s

struct Star {
  std::int64_t source_id = 0;
  Position position;
  double g_mag = 0;
  double bp_rp = 0;
};
Star make_star(const Recipe& recipe, std::uint64_t number);
// The Gaia source beside a quasar that has one.
Star make_companion(const Recipe& recipe, const Quasar& quasar);

// At a random distance from `low` to `high` arcsec.
Position scattered(Random& random, const Position& from, double low, double high);

// Gaia DR3: HEALPix pixel of order 12 in the upper bits, and a running number.
std::int64_t gaia_source_id(const Position& position, std::uint64_t serial);

}  // namespace qsohost::skysim
