#include "tap/gaia_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "tap/fits_rows.hpp"

namespace qsohost::skysim {

namespace {

std::int64_t integer(const TapCell& cell) {
  return std::get<std::int64_t>(cell);
}

std::string schema_of(GaiaRelease release) {
  return release == GaiaRelease::Dr3 ? "gaiadr3" : "gaiadr4";
}

std::size_t place_of(const std::vector<std::string>& names, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
}

// A table with a row for each row of a file, under other names.
struct Renamed {
  const char* field;
  TapColumn column;
};
TapTable renamed_table(const std::filesystem::path& file, std::string name, std::string description,
                       const std::vector<Renamed>& columns) {
  TapTable table{"", std::move(name), std::move(description), {}, {}, {}};
  std::vector<std::string> fields;
  for (const Renamed& column : columns) {
    table.columns.push_back(column.column);
    fields.emplace_back(column.field);
  }
  table.fill = [file, fields](const TapInsert& insert) {
    std::vector<TapCell> cells(fields.size());
    for_each_row(file, fields, [&](const FitsRow& row) {
      for (std::size_t k = 0; k < fields.size(); ++k) cells[k] = row.cell(k);
      insert(cells);
    });
  };
  return table;
}

}  // namespace

TapTable gaia_source_table(const std::filesystem::path& folder, GaiaRelease release) {
  TapTable table{
      schema_of(release),         "gaia_source",        "the main table: one row for each source",
      tap_columns("gaia_source"), {"source_id", "dec"}, {}};
  table.fill = [folder, release](const TapInsert& insert) {
    const auto names = names_of(tap_columns("gaia_source"));
    const std::size_t id = place_of(names, "source_id");
    const std::size_t designation = place_of(names, "designation");
    const std::size_t epoch = place_of(names, "ref_epoch");
    std::vector<TapCell> cells(names.size());
    for_each_row(folder / "gaia_source.fits", names, [&](const FitsRow& row) {
      for (std::size_t k = 0; k < names.size(); ++k) cells[k] = row.cell(k);
      if (release == GaiaRelease::Dr4) {
        const std::int64_t number = other_release_id(integer(cells[id]));
        cells[id] = number;
        cells[designation] = fmt::format("Gaia DR4 {}", number);
        cells[epoch] = 2017.5;
      }
      insert(cells);
    });
  };
  return table;
}

TapTable neighbourhood_table(const std::filesystem::path& folder) {
  TapTable table{"gaiadr4",
                 "dr3_neighbourhood",
                 "sources of DR3 and DR4 at the same place",
                 {{"dr3_source_id", "long"},
                  {"dr4_source_id", "long"},
                  {"angular_distance", "float", "mas"},
                  {"magnitude_difference", "float", "mag"}},
                 {"dr3_source_id", "dr4_source_id"},
                 {}};
  table.fill = [folder](const TapInsert& insert) {
    for_each_row(folder / "gaia_source.fits", {"source_id"}, [&](const FitsRow& row) {
      const std::int64_t id = integer(row.cell(0));
      insert(std::vector<TapCell>{id, other_release_id(id), 0.0, 0.0});
    });
  };
  return table;
}

TapTable epoch_photometry_table(const std::filesystem::path& folder, GaiaRelease release,
                                const std::string& shown_id) {
  TapTable table{
      schema_of(release),        "epoch_photometry", "light curves: one row for each source",
      tap_columns("gaia_epoch"), {"source_id"},      {}};
  const auto fields = names_of(table.columns);
  const std::size_t id = place_of(fields, "source_id");
  for (TapColumn& column : table.columns) column.name = name_in(release, column.name);
  table.columns[id].shown_as = shown_id;
  table.fill = [folder, release, fields, id](const TapInsert& insert) {
    std::vector<TapCell> cells(fields.size());
    for_each_row(folder / "gaia_epoch.fits", fields, [&](const FitsRow& row) {
      for (std::size_t k = 0; k < fields.size(); ++k) cells[k] = row.cell(k);
      if (release == GaiaRelease::Dr4) cells[id] = other_release_id(integer(cells[id]));
      insert(cells);
    });
  };
  return table;
}

TapTable vizier_source_table(const std::filesystem::path& folder) {
  TapTable table =
      renamed_table(folder / "gaia_source.fits", "I/355/gaiadr3", "Gaia DR3 Part 1. Main source",
                    {{"designation", {"DR3Name", "char", "", "unique source designation"}},
                     {"ra", {"RA_ICRS", "double", "deg", "right ascension (ICRS) at Ep=2016.0"}},
                     {"dec", {"DE_ICRS", "double", "deg", "declination (ICRS) at Ep=2016.0"}},
                     {"solution_id", {"SolID", "long"}},
                     {"source_id", {"Source", "long", "", "unique source identifier"}},
                     {"random_index", {"RandomI", "long"}},
                     {"ra_error", {"e_RA_ICRS", "float", "mas"}},
                     {"dec_error", {"e_DE_ICRS", "float", "mas"}},
                     {"parallax", {"Plx", "double", "mas"}},
                     {"parallax_error", {"e_Plx", "float", "mas"}},
                     {"pm", {"PM", "float", "mas/yr"}},
                     {"pmra", {"pmRA", "double", "mas/yr"}},
                     {"pmra_error", {"e_pmRA", "float", "mas/yr"}},
                     {"pmdec", {"pmDE", "double", "mas/yr"}},
                     {"pmdec_error", {"e_pmDE", "float", "mas/yr"}},
                     {"astrometric_excess_noise", {"epsi", "float", "mas"}},
                     {"astrometric_excess_noise_sig", {"sepsi", "float"}},
                     {"astrometric_params_solved", {"Solved", "short"}},
                     {"ipd_frac_multi_peak", {"IPDfmp", "short"}},
                     {"ipd_frac_odd_win", {"IPDfow", "short"}},
                     {"ruwe", {"RUWE", "double"}},
                     {"duplicated_source", {"Dup", "short"}},
                     {"phot_g_mean_flux", {"FG", "double", "e-/s"}},
                     {"phot_g_mean_mag", {"Gmag", "float", "mag"}},
                     {"phot_bp_mean_mag", {"BPmag", "float", "mag"}},
                     {"phot_rp_mean_mag", {"RPmag", "float", "mag"}},
                     {"bp_rp", {"BP-RP", "float", "mag"}},
                     {"phot_variable_flag", {"VarFlag", "char"}},
                     {"l", {"GLON", "double", "deg"}},
                     {"b", {"GLAT", "double", "deg"}},
                     {"in_qso_candidates", {"QSO", "short"}},
                     {"non_single_star", {"NSS", "short"}},
                     {"has_epoch_photometry", {"EpochPh", "short"}}});
  table.indexed = {"Source", "DE_ICRS"};
  return table;
}

TapTable vizier_epoch_table(const std::filesystem::path& folder) {
  TapTable table{"",
                 "I/355/epphot",
                 "Gaia DR3 Part 4. Epoch photometry: one row for each transit",
                 {{"Source", "long", "", "unique source identifier"},
                  {"RA_ICRS", "double", "deg"},
                  {"DE_ICRS", "double", "deg"}},
                 {"Source"},
                 {}};
  const std::vector<std::string> arrays{"g_transit_time", "g_transit_flux", "g_transit_flux_error",
                                        "g_transit_mag",  "bp_obs_time",    "bp_flux",
                                        "bp_flux_error",  "bp_mag",         "rp_obs_time",
                                        "rp_flux",        "rp_flux_error",  "rp_mag"};
  for (const std::string band : {"G", "BP", "RP"}) {
    const std::string mag = band == "G" ? "Gmag" : band + "mag";
    table.columns.insert(table.columns.end(), {{"Time" + band, "double", "d"},
                                               {"F" + band, "double", "e-/s"},
                                               {"e_F" + band, "double", "e-/s"},
                                               {mag, "double", "mag"}});
  }
  for (const char* flag : {"GrVFlag", "BPrVFlag", "RPrVFlag", "noisyFlag"}) {
    table.columns.push_back({flag, "short"});
  }
  std::vector<std::string> fields{"source_id"};
  fields.insert(fields.end(), arrays.begin(), arrays.end());
  for (const char* flag : {"variability_flag_g_reject", "variability_flag_bp_reject",
                           "variability_flag_rp_reject", "photometry_flag_noisy_data"}) {
    fields.emplace_back(flag);
  }
  table.fill = [folder, fields](const TapInsert& insert) {
    std::map<std::int64_t, std::pair<TapCell, TapCell>> positions;
    for_each_row(folder / "gaia_source.fits", {"source_id", "ra", "dec"}, [&](const FitsRow& row) {
      positions[integer(row.cell(0))] = {row.cell(1), row.cell(2)};
    });
    for_each_row(folder / "gaia_epoch.fits", fields, [&](const FitsRow& row) {
      const TapCell id = row.cell(0);
      const auto& [ra, dec] = positions[integer(id)];
      for (std::size_t i = 0; i < row.length(1); ++i) {
        std::vector<TapCell> cells{id, ra, dec};
        for (std::size_t k = 1; k < fields.size(); ++k) cells.push_back(row.element(k, i));
        insert(cells);
      }
    });
  };
  return table;
}

}  // namespace qsohost::skysim
