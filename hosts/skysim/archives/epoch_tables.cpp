#include "archives/epoch_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "archives/epoch_store.hpp"

namespace qsohost::skysim {

namespace {

// Of the bits of *_other_flags: the n-th unit is unavailable, and 12 bits higher rejected.
constexpr std::array<std::string_view, 12> kUnits{"sm",  "af1", "af2", "af3", "af4", "af5",
                                                  "af6", "af7", "af8", "af9", "bp",  "rp"};
constexpr std::size_t kBp = 10;
constexpr std::size_t kRp = 11;
constexpr std::int64_t kNoisy = 1 << 24;

std::size_t field_of(const std::string& name) {
  const auto& fields = EpochStore::fields();
  return static_cast<std::size_t>(std::ranges::find(fields, name) - fields.begin());
}

// Fields that are looked at in each transit.
struct Places {
  std::size_t noisy = field_of("photometry_flag_noisy_data");
  std::array<std::size_t, kUnits.size()> unavailable{};
  std::array<std::size_t, kUnits.size()> rejected{};
  std::array<std::size_t, 3> fluxes{field_of("g_transit_flux"), field_of("bp_flux"),
                                    field_of("rp_flux")};
  Places() {
    for (std::size_t unit = 0; unit < kUnits.size(); ++unit) {
      const std::string name = fmt::format("photometry_flag_{}_", kUnits[unit]);
      unavailable[unit] = field_of(name + "unavailable");
      rejected[unit] = field_of(name + "reject");
    }
  }
};
const Places& places() {
  static const Places known;
  return known;
}

bool is_set(const FitsRow& row, std::size_t flag, std::size_t transit) {
  const TapCell cell = row.element(flag, transit);
  const auto* value = std::get_if<std::int64_t>(&cell);
  return value != nullptr && *value != 0;
}

bool is_missing(const FitsRow& row, std::size_t field, std::size_t transit) {
  return std::holds_alternative<std::monostate>(row.element(field, transit));
}

// Of these units.
std::int64_t other_flags(const FitsRow& row, std::size_t transit, std::size_t first,
                         std::size_t last) {
  std::int64_t flags = is_set(row, places().noisy, transit) ? kNoisy : 0;
  for (std::size_t unit = first; unit <= last; ++unit) {
    if (is_set(row, places().unavailable[unit], transit)) flags |= std::int64_t{1} << unit;
    if (is_set(row, places().rejected[unit], transit)) {
      flags |= std::int64_t{1} << (unit + kUnits.size());
    }
  }
  return flags;
}

bool is_valid(const FitsRow& row, std::size_t transit) {
  return std::ranges::none_of(places().fluxes,
                              [&](std::size_t field) { return is_missing(row, field, transit); });
}

// DR4 has numbers where DR3 has flags.
std::string flag_type(GaiaRelease release) {
  return release == GaiaRelease::Dr4 ? "short" : "boolean";
}

bool is_given(const std::string& column) {
  return column != "n_transits" && column != "g_transit_n_obs" &&
         !column.starts_with("photometry_flag_");
}

struct Transits {
  std::vector<TapColumn> columns;
  std::vector<std::size_t> fields;  // of the first columns
};
Transits layout(GaiaRelease release) {
  Transits transits;
  const auto all = tap_columns("gaia_epoch");
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!is_given(all[i].name)) continue;
    TapColumn column = all[i];
    column.name = name_in(release, column.name);
    column.is_array = false;
    if (column.unit == "electron s-1") column.unit = "'electron'.s**-1";  // as VOUnits
    if (column.datatype == "boolean") column.datatype = flag_type(release);
    transits.columns.push_back(column);
    transits.fields.push_back(i);
  }
  for (const char* flags : {"g_other_flags", "bp_other_flags", "rp_other_flags"}) {
    transits.columns.push_back({flags, "long"});
  }
  transits.columns.push_back({"rejected_by_photometry", flag_type(release)});
  return transits;
}

std::int64_t integer(const TapCell& cell) {
  return std::get<std::int64_t>(cell);
}

std::string param(const std::string& name, const std::string& type, const std::string& value) {
  return fmt::format("<PARAM name=\"{}\" {} value=\"{}\"/>\n", name, type, value);
}

// Missing numbers of binary tables are NaN, and not null.
void put_nans(TapRows& rows) {
  for (auto& row : rows.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string& type = rows.columns[i].datatype;
      if (std::holds_alternative<std::monostate>(row[i]) && (type == "float" || type == "double")) {
        row[i] = std::nan("");
      }
    }
  }
}

constexpr std::size_t kIds = 2;  // solution_id and source_id, the first columns

}  // namespace

std::string release_name(GaiaRelease release) {
  return release == GaiaRelease::Dr4 ? "Gaia DR4" : "Gaia DR3";
}

TapRows transit_rows(const FitsRow& row, GaiaRelease release, bool valid_only) {
  const Transits transits = layout(release);
  TapRows rows;
  rows.columns = transits.columns;
  const std::size_t count = row.length(field_of("transit_id"));
  for (std::size_t i = 0; i < count; ++i) {
    if (valid_only && !is_valid(row, i)) continue;
    std::vector<TapCell> cells{row.cell(transits.fields[0]),
                               id_in(release, integer(row.cell(transits.fields[1])))};
    for (std::size_t k = kIds; k < transits.fields.size(); ++k) {
      cells.push_back(row.element(transits.fields[k], i));
    }
    cells.emplace_back(other_flags(row, i, 0, kBp - 1));
    cells.emplace_back(other_flags(row, i, kBp, kBp));
    cells.emplace_back(other_flags(row, i, kRp, kRp));
    // rejected_by_photometry is of the transit, and not of a band
    cells.emplace_back(std::int64_t{is_missing(row, places().fluxes[0], i)});
    rows.rows.push_back(std::move(cells));
  }
  return rows;
}

std::vector<TapColumn> raw_columns(GaiaRelease release) {
  auto columns = tap_columns("gaia_epoch");
  for (TapColumn& column : columns) {
    column.name = name_in(release, column.name);
    if (column.datatype == "boolean") column.datatype = flag_type(release);
  }
  return columns;
}

std::vector<TapCell> raw_row(const FitsRow& row, GaiaRelease release) {
  std::vector<TapCell> cells;
  for (std::size_t i = 0; i < EpochStore::fields().size(); ++i) cells.push_back(row.cell(i));
  TapCell& id = cells[field_of("source_id")];
  id = id_in(release, integer(id));
  return cells;
}

std::string write_transits(const TapRows& rows, TapFormat format, GaiaRelease release) {
  TapStyle style;
  style.true_word = "true";
  if (format == TapFormat::Csv) return write_rows(rows, format, style, {});
  TapRows table = rows;
  std::string parameters =
      param("release", "datatype=\"char\" arraysize=\"*\"", release_name(release));
  for (std::size_t i = 0; i < kIds && !rows.rows.empty(); ++i) {
    parameters += param(rows.columns[i].name, "datatype=\"long\"",
                        cell_text(rows.columns[i], rows.rows[0][i], style));
  }
  table.columns.erase(table.columns.begin(), table.columns.begin() + kIds);
  for (auto& row : table.rows) row.erase(row.begin(), row.begin() + kIds);
  const bool is_binary = format == TapFormat::VoTableBinary;
  if (is_binary) put_nans(table);
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
         "<VOTABLE version=\"1.4\" xmlns=\"http://www.ivoa.net/xml/VOTable/v1.3\">\n"
         "<RESOURCE type=\"results\">\n"
         "<TIMESYS ID=\"time_frame\" refposition=\"BARYCENTER\" timeorigin=\"2455197.5\" "
         "timescale=\"TCB\"/>\n" +
         votable_table(table, is_binary, style, parameters) + "</RESOURCE>\n</VOTABLE>\n";
}

}  // namespace qsohost::skysim
