#include "describe/roles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "qsohost/io/units.hpp"
#include "qsohost/names.hpp"

namespace qsohost::cli {
namespace {

using Names = std::vector<std::string_view>;

const Names kIds{"source_id", "object_id", "objectid", "objid",   "obj_id",
                 "specobjid", "sdss_name", "oid",      "id",      "designation",
                 "targetid",  "name",      "object",   "sourceid"};
const Names kRas{"ra",    "ra_icrs",  "raj2000", "_raj2000", "ra_deg",
                 "radeg", "ra_j2000", "meanra",  "ramean"};
const Names kDecs{"dec",      "de_icrs",  "dej2000",   "_dej2000", "dec_deg", "dedeg",
                  "dec_icrs", "decj2000", "dec_j2000", "meandec",  "decmean", "decl"};
const Names kBands{"band", "filter",   "filtercode", "filt",
                   "fid",  "passband", "filtername", "phot_filter"};
const Names kTimes{"mjd",     "hjd",  "bjd",  "jd",     "time",    "obs_time",       "transit_time",
                   "obstime", "date", "hmjd", "mjdobs", "mjd_obs", "midpointmjdtai", "t"};
const Names kMags{"mag", "magnitude", "psfmag", "mag_psf", "magpsf", "m", "mag_auto", "psf_mag"};
const Names kMagErrs{"magerr",        "mag_err",  "e_mag",     "mag_error",
                     "magnitude_err", "sigmapsf", "psfmagerr", "mag_sigma",
                     "magsigma",      "err",      "e",         "error",
                     "mag_psf_err",   "dmag",     "merr",      "psf_magerr"};
const Names kFluxes{"flux", "psfflux", "uJy", "ujy", "psf_flux", "flux_psf", "f"};
const Names kFluxErrs{"flux_err", "fluxerr", "flux_error",  "e_flux",   "psffluxerr",
                      "dujy",     "duJy",    "psf_fluxerr", "fluxerror"};

bool is_text(const ColumnSummary& c) {
  return c.column.info.dtype == DType::String;
}

bool is_number(const ColumnSummary& c) {
  return !is_text(c) && c.column.info.dtype != DType::Bool;
}

bool has_unit(const ColumnSummary& c, std::string_view wanted) {
  return c.column.info.unit.empty() || unit_factor(c.column.info.unit, wanted).has_value();
}

// The position of a column's name among the known ones; kMost if it is none of them.
std::size_t rank(const Names& known, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(known, lower_case(name)) - known.begin());
}

template <class Fits>
std::string best(const TableSummary& table, const Names& known, const Fits& fits) {
  const ColumnSummary* found = nullptr;
  for (const ColumnSummary& c : table.columns) {
    if (!c.column.problem.empty() || !fits(c) || rank(known, c.column.info.name) == known.size()) {
      continue;
    }
    const bool is_better =
        found == nullptr || rank(known, c.column.info.name) < rank(known, found->column.info.name);
    if (is_better) found = &c;
  }
  return found == nullptr ? "" : found->column.info.name;
}

// The band in a name such as "mjd_g" or "g_transit_time" whose rest is one of the known names; none
// if there is no such rest. The bare name has the band "".
std::optional<std::string> band_in(const Names& known, std::string_view name) {
  const std::string lowered = lower_case(name);
  if (rank(known, lowered) < known.size()) return "";
  const std::size_t last = lowered.rfind('_');
  if (last != std::string::npos && rank(known, lowered.substr(0, last)) < known.size()) {
    return std::string(name.substr(last + 1));
  }
  const std::size_t first = lowered.find('_');
  if (first != std::string::npos && rank(known, lowered.substr(first + 1)) < known.size()) {
    return std::string(name.substr(0, first));
  }
  return std::nullopt;
}

// The column of these epochs for the same band.
std::string partner(const TableSummary& table, const Names& known, const std::string& band,
                    bool is_array) {
  std::string found;
  std::size_t best_rank = known.size();
  for (const ColumnSummary& c : table.columns) {
    if (c.is_array() != is_array || !is_number(c) || !c.column.problem.empty()) continue;
    const auto its = band_in(known, c.column.info.name);
    if (!its || lower_case(*its) != lower_case(band)) continue;
    const std::string lowered = lower_case(c.column.info.name);
    for (std::size_t i = 0; i < best_rank; ++i) {
      if (lowered.find(lower_case(known[i])) == std::string::npos) continue;
      best_rank = i;
      found = c.column.info.name;
    }
  }
  return found;
}

std::vector<SuspectedBand> bands_of(const TableSummary& table, bool is_array) {
  std::vector<SuspectedBand> out;
  for (const ColumnSummary& c : table.columns) {
    if (c.is_array() != is_array || !is_number(c) || !has_unit(c, "d")) continue;
    const auto band = band_in(kTimes, c.column.info.name);
    if (!band || std::ranges::find(out, *band, &SuspectedBand::band) != out.end()) continue;
    SuspectedBand found{.band = *band,
                        .time = partner(table, kTimes, *band, is_array),
                        .mag = partner(table, kMags, *band, is_array),
                        .mag_err = partner(table, kMagErrs, *band, is_array),
                        .flux = partner(table, kFluxes, *band, is_array),
                        .flux_err = partner(table, kFluxErrs, *band, is_array)};
    const bool has_mag = !found.mag.empty() && !found.mag_err.empty();
    if (has_mag) found.flux = found.flux_err = "";
    if (has_mag || (!found.flux.empty() && !found.flux_err.empty())) out.push_back(found);
  }
  return out;
}

const ColumnSummary* column_named(const TableSummary& table, const std::string& name) {
  const auto it = std::ranges::find_if(
      table.columns, [&](const ColumnSummary& c) { return c.column.info.name == name; });
  return it == table.columns.end() ? nullptr : &*it;
}

std::string band_entry(const SuspectedBand& band, const std::string& name,
                       const std::string& band_column, const std::string& value) {
  std::string out = fmt::format("\n  [[stage.band]]\n  group = \"survey.{}\"\n  time = \"{}\"\n",
                                name.empty() ? "band" : name, band.time);
  if (band.flux.empty()) {
    out += fmt::format("  mag = \"{}\"\n  mag_err = \"{}\"\n", band.mag, band.mag_err);
  } else {
    out += fmt::format("  flux = \"{}\"\n  flux_err = \"{}\"\n", band.flux, band.flux_err);
  }
  if (!band_column.empty()) {
    out += fmt::format("  band_column = \"{}\"\n  band_value = \"{}\"\n", band_column, value);
  }
  return out;
}

std::string curve_entry(const TableSummary& table, const Suspected& s) {
  std::string out =
      fmt::format("[[stage]]\nuse = \"lightcurve-source\"\npaths = [\"{}\"]\n", table.file);
  if (!table.hdu.empty()) out += fmt::format("hdu = \"{}\"\n", table.hdu);
  out += fmt::format("id = \"{}\"\n", s.id);
  if (!s.is_row_per_epoch) {
    for (const SuspectedBand& band : s.bands) out += band_entry(band, band.band, "", "");
    return out;
  }
  const ColumnSummary* bands = column_named(table, s.band_column);
  if (bands == nullptr || bands->values.empty()) {
    return out + band_entry(s.bands[0], s.bands[0].band, "", "");
  }
  for (const std::string& value : bands->values) {
    out += band_entry(s.bands[0], value, s.band_column, value);
  }
  return out;
}

}  // namespace

Suspected suspect(const TableSummary& table) {
  Suspected out;
  const auto is_one = [](const ColumnSummary& c) { return !c.is_array(); };
  out.id = best(table, kIds, [&](const ColumnSummary& c) {
    const DType dtype = c.column.info.dtype;
    return is_one(c) && (is_text(c) || dtype == DType::I64 || dtype == DType::I32);
  });
  const auto is_angle = [&](const ColumnSummary& c) {
    return is_one(c) && is_number(c) && has_unit(c, "deg");
  };
  out.ra = best(table, kRas, is_angle);
  out.dec = best(table, kDecs, is_angle);
  out.bands = bands_of(table, true);
  if (!out.bands.empty()) return out;
  const ColumnSummary* id = column_named(table, out.id);
  if (id == nullptr || !id->repeats) return out;
  out.bands = bands_of(table, false);
  out.is_row_per_epoch = !out.bands.empty();
  if (out.is_row_per_epoch) {
    out.band_column = best(table, kBands, [&](const ColumnSummary& c) {
      return is_one(c) && c.column.info.dtype != DType::F64 && c.column.info.dtype != DType::F32;
    });
  }
  return out;
}

std::string role_of(const Suspected& s, const std::string& column) {
  if (column == s.id) return "id";
  if (column == s.ra) return "ra";
  if (column == s.dec) return "dec";
  if (!s.band_column.empty() && column == s.band_column) return "band";
  for (const SuspectedBand& band : s.bands) {
    const auto named = [&](std::string_view role) {
      return band.band.empty() ? std::string(role) : fmt::format("{} of {}", role, band.band);
    };
    if (column == band.time) return named("time");
    if (column == band.mag || column == band.flux)
      return named(column == band.mag ? "mag" : "flux");
    if (column == band.mag_err || column == band.flux_err) return named("error");
  }
  return "";
}

std::string chain_entry(const TableSummary& table, const Suspected& s) {
  if (s.id.empty()) return "";
  if (!s.bands.empty()) return curve_entry(table, s);
  if (s.ra.empty() || s.dec.empty()) return "";
  std::string out = fmt::format("[[stage]]\nuse = \"catalog-source\"\npath = \"{}\"\n", table.file);
  if (!table.hdu.empty()) out += fmt::format("hdu = \"{}\"\n", table.hdu);
  return out + fmt::format("id = \"{}\"\nra = \"{}\"\ndec = \"{}\"\n", s.id, s.ra, s.dec);
}

}  // namespace qsohost::cli
