#include "band_options.hpp"

#include <fmt/format.h>

#include <set>

#include <qsohost/time_system.hpp>

#include "conventions.hpp"

namespace curves {

namespace {

using qsohost::UsageError;

// Magnitudes or, where they are named, fluxes; each with errors.
void check_roles(const Band& band) {
  const bool has_mag = !band.mag->empty() && !band.mag_err->empty();
  const bool has_flux = !band.flux->empty() && !band.flux_err->empty();
  const bool has_no_flux = band.flux->empty() && band.flux_err->empty();
  if (has_flux || (has_no_flux && has_mag)) return;
  throw UsageError(
      fmt::format("band: '{}' needs mag and mag_err, or flux and flux_err", *band.group));
}

void check_group(const Band& band) {
  const qsohost::GroupInfo info = known_group(*band.group);
  if (!info.survey.empty() && !info.band.empty()) return;
  throw UsageError(fmt::format("band: group '{}' must be <survey>.<band>", *band.group));
}

void check_time_system(const Band& band) {
  const std::string& times = *band.time_system;
  if (times.empty() || qsohost::time_system_of(times)) return;
  throw UsageError(fmt::format(
      "band: time_system of '{}' is \"{}\"; write e.g. \"MJD UTC\", \"HJD UTC\" or \"BJD TCB - "
      "2455197.5\", with scale UTC, TAI, TT, TCG, TDB or TCB",
      *band.group, times));
}

// `column`: that of the other bands; "" if none has one.
void check_band_column(const Band& band, std::string& column) {
  if (band.band_column->empty() != band.band_value->empty()) {
    throw UsageError(fmt::format("band: '{}' has {}, but no {}; set both or none", *band.group,
                                 band.band_column->empty() ? "band_value" : "band_column",
                                 band.band_column->empty() ? "band_column" : "band_value"));
  }
  if (band.band_column->empty()) return;
  if (column.empty()) column = *band.band_column;
  if (column == *band.band_column) return;
  throw UsageError(
      fmt::format("band: band_column is '{}' and '{}'; there must be one column that says the band",
                  column, *band.band_column));
}

}  // namespace

void check_bands(const qsohost::OptionTables<Band>& bands) {
  std::set<std::string> groups;
  std::string column;
  for (std::size_t i = 0; i < bands.size(); ++i) {
    check_group(bands[i]);
    if (!groups.insert(*bands[i].group).second) {
      throw UsageError(
          fmt::format("band: group '{}' is there twice; give each band its own", *bands[i].group));
    }
    check_roles(bands[i]);
    check_time_system(bands[i]);
    check_band_column(bands[i], column);
  }
}

}  // namespace curves
