#include "table_columns.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>

#include <qsohost/error.hpp>
#include <qsohost/survey.hpp>

namespace gaia {

namespace {

using qsohost::DType;
using qsohost::RunError;

constexpr const char* kFluxUnit = "electron s-1";
constexpr std::array<const char*, 3> kGroups{"gaia.g", "gaia.bp", "gaia.rp"};

// "photometry_flag_af1_reject": AF1 rejected by the photometry.
std::string flag_help(std::string_view flag) {
  if (flag.ends_with("noisy_data")) return "G flux scatters more between CCDs than expected";
  const std::size_t unit = flag.find("flag_") + 5;
  const std::size_t verdict = flag.find('_', unit) + 1;
  std::string name(flag.substr(unit, verdict - 1 - unit));
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return fmt::format(
      "{} {} {}", name, flag.substr(verdict) == "reject" ? "rejected by" : "not available to",
      flag.starts_with("photometry") ? "the photometry" : "the variability analysis");
}

void add_band(const std::string& prefix, const std::string& time, const std::string& time_help,
              const std::string& band, std::vector<TableColumn>& out) {
  out.push_back({time, DType::F64, "d", time_help + ", BJD (TCB) - 2455197.5"});
  out.push_back({prefix + "flux", DType::F64, kFluxUnit, band + " flux"});
  out.push_back({prefix + "flux_error", DType::F64, kFluxUnit, "error of it"});
  out.push_back({prefix + "flux_over_error", DType::F32, "", "flux / error"});
  out.push_back({prefix + "mag", DType::F64, "mag", band + " magnitude, Vega"});
}

std::vector<TableColumn> make_columns() {
  std::vector<TableColumn> out{
      {"solution_id", DType::I64, "", "provenance", false},
      {"source_id", DType::I64, "", "identifier of the source in this release", false},
      {"n_transits", DType::I16, "", "transits across the field of view", false},
      {"transit_id", DType::I64, "", "identifier of the transit"},
  };
  add_band("g_transit_", "g_transit_time", "time of the transit, mean of the CCDs", "G", out);
  out.push_back({"g_transit_n_obs", DType::I16, "", "CCDs that went into the mean"});
  add_band("bp_", "bp_obs_time", "time of the CCD transit", "BP", out);
  add_band("rp_", "rp_obs_time", "time of the CCD transit", "RP", out);
  for (const std::string& flag : qsohost::gaia_flags()) {
    out.push_back({flag, DType::Bool, "", flag_help(flag)});
  }
  return out;
}

const std::vector<TableColumn>& table_columns() {
  static const std::vector<TableColumn> columns = make_columns();
  return columns;
}

// Whether values of this type can be had from a column of the other.
bool can_come_from(DType wanted, DType found) {
  const bool is_integer = found == DType::I16 || found == DType::I32 || found == DType::I64;
  switch (wanted) {
    case DType::F32:
    case DType::F64:
      return found == DType::F32 || found == DType::F64;
    case DType::Bool:
      return found == DType::Bool || is_integer;
    case DType::I64:  // identifiers
      return found == DType::I64;
    default:
      return is_integer;
  }
}

// FITS knows no upper and lower case.
bool is_same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

// What keeps a column from being the wanted one; empty if nothing does.
std::string misfit(const Found& found, const TableColumn& wanted) {
  if (!found.trouble.empty()) return found.trouble;
  if (found.is_array != wanted.is_array) {
    return wanted.is_array ? "it must hold arrays of varying length, one a row"
                           : "it must hold one value a row";
  }
  if (can_come_from(wanted.dtype, found.dtype)) return {};
  return fmt::format("it holds {} where {} is needed", qsohost::name_of(found.dtype),
                     qsohost::name_of(wanted.dtype));
}

const TableColumn& column_called(const std::string& name) {
  const auto& all = table_columns();
  const auto it = std::ranges::find(all, name, &TableColumn::name);
  if (it == all.end()) throw std::logic_error("no column " + name + " in epoch_photometry");
  return *it;
}

std::vector<std::string> promised_columns() {
  std::vector<std::string> out;
  for (const qsohost::EpochColumn& c : qsohost::product_columns("gaia")) {
    out.push_back(qsohost::file_column_of(qsohost::group_info_of(c.group), c.column));
  }
  return out;
}

}  // namespace

std::vector<std::string> extra_columns() {
  const std::vector<std::string> promised = promised_columns();
  std::vector<std::string> out;
  for (const TableColumn& c : table_columns()) {
    const bool is_extra = std::ranges::find(promised, c.name) == promised.end();
    if (is_extra && c.name != "source_id") out.push_back(c.name);
  }
  return out;
}

std::vector<Wanted> wanted_columns(const std::vector<std::string>& extra, bool is_merging) {
  std::vector<std::string> names = promised_columns();
  std::string transit_group = kNowhere;
  for (const std::string& name : extra) {
    if (name == "transit_id") {
      transit_group = kGroups[0];
    } else if (std::ranges::find(names, name) == names.end()) {
      names.push_back(name);
    }
  }
  std::vector<Wanted> out;
  for (const std::string& name : names) {
    const TableColumn& column = column_called(name);
    if (column.is_array) {
      const auto place = qsohost::epoch_column_of(name);
      out.push_back({column, place->group, place->column});
    } else {
      out.push_back({column, "", name});
    }
  }
  if (is_merging || transit_group != kNowhere) {
    out.push_back({column_called("transit_id"), transit_group, "transit_id"});
  }
  return out;
}

void declare_columns(const std::vector<Wanted>& wanted, qsohost::Ports& ports) {
  for (const char* group : kGroups) {
    ports.adds_group(qsohost::group_info_of(group));
    ports.adds({group, "epoch_id", DType::I64, "", "position of the epoch in the source's arrays"});
    ports.adds({group, "mag_err", DType::F64, "mag", "2.5 / ln 10 x flux_error / flux"});
  }
  for (const Wanted& w : wanted) {
    if (w.group == kNowhere) continue;
    ports.adds({w.group, w.column, w.table.dtype, w.table.unit, w.table.help});
  }
}

std::vector<std::size_t> match_columns(const std::string& place, std::span<const Found> found,
                                       const std::vector<Wanted>& wanted) {
  std::vector<TableColumn> columns{column_called("source_id")};
  for (const Wanted& w : wanted) columns.push_back(w.table);
  std::vector<std::size_t> positions;
  std::vector<std::string> missing;
  for (const TableColumn& column : columns) {
    const auto it = std::ranges::find_if(
        found, [&](const Found& f) { return is_same_name(f.name, column.name); });
    if (it == found.end()) {
      missing.push_back(column.name);
      continue;
    }
    const std::string trouble = misfit(*it, column);
    if (!trouble.empty()) {
      throw RunError(fmt::format("{}: column '{}': {}", place, column.name, trouble));
    }
    positions.push_back(static_cast<std::size_t>(it - found.begin()));
  }
  if (missing.empty()) return positions;
  throw RunError(fmt::format(
      "{}: there is no column {}; it must be Gaia's table epoch_photometry, one row a source, "
      "arrays of epochs",
      place, fmt::join(missing, ", ")));
}

}  // namespace gaia
