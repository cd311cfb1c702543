#include "properties_catalogue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <optional>
#include <vector>

#include "nan.hpp"

namespace qsohost::skysim {

namespace {

constexpr double kBluest = 3650;  // Angstrom, of the spectra
constexpr double kReddest = 10200;

struct Value {
  double value = 0;
  double error = 0;
};

// A continuum luminosity, and log10 of the factor that makes it a bolometric one.
struct Continuum {
  std::string_view column;
  double wavelength;
  double correction;
};
// Richards et al. 2006: 3.81, 5.15 and 9.26 at 1350, 3000 and 5100 A; between them on a power law.
constexpr std::array<Continuum, 5> kContinua{{{"LOGL1350", 1350, 0.581},
                                              {"LOGL1700", 1700, 0.619},
                                              {"LOGL2500", 2500, 0.682},
                                              {"LOGL3000", 3000, 0.712},
                                              {"LOGL5100", 5100, 0.967}}};

struct Line {
  std::string_view column;
  double wavelength;    // Angstrom, rest frame
  double log_strength;  // log10 of its luminosity over L_bol
  double log_width;     // log10 of its FWHM, km/s
};
constexpr std::array<Line, 10> kLines{{{"HALPHA", 6564.6, -1.9, 3.55},
                                       {"HALPHA_BR", 6564.6, -1.95, 3.6},
                                       {"HBETA", 4862.7, -2.4, 3.6},
                                       {"HBETA_BR", 4862.7, -2.45, 3.65},
                                       {"OIII5007", 5008.2, -2.9, 2.75},
                                       {"MGII", 2798.8, -2.3, 3.55},
                                       {"MGII_BR", 2798.8, -2.35, 3.6},
                                       {"CIII_ALL", 1908.7, -2.2, 3.75},
                                       {"CIV", 1549.1, -2.0, 3.65},
                                       {"LYA", 1215.7, -1.6, 3.7}}};

struct Mass {
  std::string_view column;
  double wavelength;
  double log_error;  // log10 of the median error
};
// The fiducial mass is the first that the spectrum allows.
constexpr std::array<Mass, 3> kMasses{
    {{"LOGMBH_HB", 4862.7, -1.2}, {"LOGMBH_MGII", 2798.8, -1.4}, {"LOGMBH_CIV", 1549.1, -1.5}}};

bool is_covered(double wavelength, double z) {
  return wavelength * (1 + z) > kBluest && wavelength * (1 + z) < kReddest;
}

// The ways in which the real catalogue says that there is no value.
std::optional<Value> missing(Random& random) {
  const double draw = random.uniform();
  if (draw < 0.010) return Value{0, 0};
  if (draw < 0.015) return Value{-999, -999};
  if (draw < 0.020) return Value{kNan, kNan};
  return std::nullopt;
}

Value measured(Random& random, double truth, double log_error) {
  Value v;
  v.error = std::clamp(std::pow(10, random.normal(log_error, 0.3)), 0.003, 0.5);
  v.value = random.normal(truth, v.error);
  return v;
}

void put(Table& table, std::string_view column, const Value& v) {
  table.append_number(column, v.value);
  table.append_number(fmt::format("{}_ERR", column), v.error);
}

Value put_luminosities(Table& table, const Quasar& quasar, Random& random) {
  const Value good = measured(random, quasar.loglbol, -1.7);
  const auto none = missing(random);
  const Value lbol = none.value_or(good);
  put(table, "LOGLBOL", lbol);
  for (const Continuum& continuum : kContinua) {
    const bool is_there = !none && is_covered(continuum.wavelength, quasar.z);
    put(table, continuum.column,
        is_there ? Value{lbol.value - continuum.correction, lbol.error} : none.value_or(Value{}));
  }
  return lbol;
}

Value put_masses(Table& table, const Quasar& quasar, Random& random) {
  Value fiducial{};
  bool is_known = false;
  for (const Mass& mass : kMasses) {
    const Value good = measured(random, quasar.logmbh, mass.log_error);
    const auto none = missing(random);
    const bool is_there = !none && is_covered(mass.wavelength, quasar.z);
    const Value value = is_there ? good : none.value_or(Value{});
    put(table, mass.column, value);
    if (is_there && !is_known) fiducial = value;
    is_known = is_known || is_there;
  }
  put(table, "LOGMBH", fiducial);
  return fiducial;
}

// Six values a line: peak and centroid (A), flux (1e-17 erg/s/cm2), log10 L, FWHM (km/s),
// equivalent width in the rest frame (A).
void put_lines(Table& table, const Quasar& quasar, Random& random) {
  for (const Line& line : kLines) {
    Column& values = table.at(line.column);
    Column& errors = table.at(fmt::format("{}_ERR", line.column));
    const double shift = line.wavelength * (1 + 0.001 * random.normal());
    const double luminosity = quasar.loglbol + line.log_strength + 0.15 * random.normal();
    const double flux = std::pow(10, 0.4 * (22 - quasar.g_mag) + 1 + 0.2 * random.normal());
    const double width = std::pow(10, line.log_width + 0.1 * random.normal());
    // Baldwin (1977): fainter lines beside brighter continua.
    const double equivalent =
        std::pow(10, 1.6 - 0.17 * (quasar.loglbol - 46) + 0.2 * random.normal());
    const bool is_there = is_covered(line.wavelength, quasar.z);
    const std::array<Value, 6> six{{{shift, 1},
                                    {shift + 1, 1},
                                    {flux, 0.05 * flux},
                                    {luminosity, 0.02},
                                    {width, 0.05 * width},
                                    {equivalent, 0.05 * equivalent}}};
    for (const Value& v : six) {
      Table::append_number(values, is_there ? v.value : 0);
      Table::append_number(errors, is_there ? v.error : 0);
    }
  }
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

void put_redshifts(Table& table, const Quasar& quasar, Random& random) {
  const double error = 0.0008 * (1 + quasar.z) * std::exp(0.3 * random.normal());
  const double z_sys = random.normal(quasar.z, error);
  table.append_number("Z_DR16Q", quasar.z);
  table.append_number("Z_FIT", quasar.z);
  table.append_number("Z_SYS", z_sys);
  table.append_number("Z_SYS_ERR", error);
}

void put_ratio(Table& table, const Value& lbol, const Value& mass) {
  constexpr double eddington = 38.1;  // log10 erg/s per solar mass
  const bool is_known = lbol.value > 0 && mass.value > 0;
  put(table, "LOGLEDD_RATIO",
      is_known ? Value{lbol.value - mass.value - eddington, std::hypot(lbol.error, mass.error)}
               : Value{});
}

void put_spectrum(Table& table, Random& random) {
  table.append_number("EBV", 0.12 * random.uniform());
  table.append_number("SN_MEDIAN_ALL", 5 * std::pow(10, 0.3 * random.normal()));
  const double amplitude = std::pow(10, 1 + 0.3 * random.normal());
  // A power law, its slope, and a polynomial that is 0; then pixels and reduced chi squared.
  for (const double v : {amplitude, random.normal(-1.5, 0.3), 0.0, 0.0, 0.0}) {
    table.append_number("CONTI_FIT", v);
  }
  for (const double v : {static_cast<double>(random.integer(800, 3000)), random.normal(1.1, 0.1)}) {
    table.append_number("CONTI_STAT", v);
  }
}

void add_row(const Recipe& recipe, const Quasar& quasar, std::size_t row, Table& sdss,
             PropertyTables& tables) {
  Table& table = tables.measured;
  const auto copy = [&](std::string_view from, Table& to, std::string_view column) {
    to.at(column).append_cells(sdss.at(from), row, 1);
  };
  for (const ColumnSpec& spec : columns_of("dr16q_prop_sdss")) {
    copy(lower_case(spec.info.name), tables.sdss, spec.info.name);
  }
  for (const std::string_view column : {"SDSS_NAME", "PLATE", "MJD", "FIBERID", "RA", "DEC"}) {
    copy(lower_case(column), table, column);
  }
  copy("source_z", table, "SOURCE_Z_DR16Q");
  const auto key = [&](std::string_view column) { return sdss.at(column).number(row); };
  table.at("OBJID").append_string(
      fmt::format("{:.0f}-{:.0f}-{:.0f}", key("plate"), key("mjd"), key("fiberid")));
  table.at("IF_BOSS_SDSS").append_string(key("mjd") < 55000 ? "SDSS" : "BOSS");
  Random random(recipe.seed, Stream::Properties, {quasar.number});
  put_redshifts(table, quasar, random);
  put_spectrum(table, random);
  put_lines(table, quasar, random);
  const Value lbol = put_luminosities(table, quasar, random);
  const Value mass = put_masses(table, quasar, random);
  put_ratio(table, lbol, mass);
}

}  // namespace

PropertyTables property_rows(const Recipe& recipe, std::span<const Quasar> quasars, Table& sdss) {
  constexpr double twice = 0.002;
  PropertyTables tables;
  for (std::size_t row = 0; row < quasars.size(); ++row) {
    const Quasar& quasar = quasars[row];
    if (!quasar.is_final) continue;
    Random random(recipe.seed, Stream::Properties, {quasar.number, 1});
    const int copies = !recipe.is_clean && random.chance(twice) ? 2 : 1;
    for (int copy = 0; copy < copies; ++copy) add_row(recipe, quasar, row, sdss, tables);
  }
  return tables;
}

}  // namespace qsohost::skysim
