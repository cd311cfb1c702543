#include "table_columns.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>

#include <qsohost/error.hpp>
#include <qsohost/io/text.hpp>
#include "bands.hpp"
#include "column_roles.hpp"

namespace gaia {

namespace {

using qsohost::DType;
using qsohost::RunError;

constexpr const char* kFluxUnit = "electron s-1";
constexpr bool kInProduct = true;
constexpr const char* kTransitId = "transit_id";

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

// G has averages over the CCDs of a transit, with a prefix of their own.
std::string prefix_of(std::string_view band) {
  return band == "g" ? "g_transit_" : fmt::format("{}_", band);
}

// In the product's order.
void add_band(std::string_view band, const std::string& time, const std::string& time_help,
              std::vector<TableColumn>& out) {
  std::string name(band);
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::toupper(c); });
  const auto add = [&](const std::string& in_table, const std::string& column, DType dtype,
                       const char* unit, const std::string& help, bool in_product) {
    out.push_back({in_table, dtype, unit, help, true, group_of(band), column, in_product});
  };
  const std::string prefix = prefix_of(band);
  add(time, "time", DType::F64, "d", time_help + ", BJD (TCB) - 2455197.5", kInProduct);
  add(prefix + "mag", "mag", DType::F64, "mag", name + " magnitude, Vega", kInProduct);
  add(prefix + "flux", "flux", DType::F64, kFluxUnit, name + " flux", kInProduct);
  add(prefix + "flux_error", "flux_error", DType::F64, kFluxUnit, "error of it", kInProduct);
  add(prefix + "flux_over_error", "flux_over_error", DType::F32, "", "flux / error", !kInProduct);
}

std::vector<TableColumn> make_columns() {
  std::vector<TableColumn> out{
      {"solution_id", DType::I64, "", "provenance", false, "", "solution_id", false},
      {"source_id", DType::I64, "", "identifier of the source in this release", false, "",
       "source_id", false},
      {"n_transits", DType::I16, "", "transits across the field of view", false, "", "n_transits",
       false},
      {"transit_id", DType::I64, "", "identifier of the transit", true, group_of("g"), "transit_id",
       false},
  };
  add_band("g", "g_transit_time", "time of the transit, mean of the CCDs", out);
  out.push_back({"g_transit_n_obs", DType::I16, "", "CCDs that went into the mean", true,
                 group_of("g"), "n_obs", false});
  add_band("bp", "bp_obs_time", "time of the CCD transit", out);
  add_band("rp", "rp_obs_time", "time of the CCD transit", out);
  for (const Flag& flag : flags()) {
    out.push_back({flag.name, DType::Bool, "", flag_help(flag.name), true, flag.group, flag.name,
                   flag.in_product});
  }
  return out;
}

const std::vector<TableColumn>& table_columns() {
  static const std::vector<TableColumn> columns = make_columns();
  return columns;
}

// Whether values of this type can be converted from a column of the other.
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

// Why a column cannot be the wanted one; empty if it can.
std::string misfit(const Found& found, const TableColumn& wanted) {
  if (!found.problem.empty()) return found.problem;
  if (found.is_array != wanted.is_array) {
    return wanted.is_array ? "it must hold arrays, one a row" : "it must hold one value a row";
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

}  // namespace

bool is_measured(const TableColumn& column) {
  constexpr std::array<std::string_view, 4> measured{"time", "mag", "flux", "flux_error"};
  return std::ranges::find(measured, column.column) != measured.end();
}

std::vector<std::string> extra_columns() {
  std::vector<std::string> out;
  for (const TableColumn& c : table_columns()) {
    if (!c.in_product && c.name != "source_id") out.push_back(c.name);
  }
  return out;
}

std::vector<Wanted> wanted_columns(const std::vector<std::string>& extra, bool is_merging) {
  std::vector<Wanted> out;
  for (const TableColumn& c : table_columns()) {
    if (c.in_product) out.push_back({c, c.group});
  }
  std::vector<std::string> taken;
  std::string transit_group = kNowhere;
  for (const std::string& name : extra) {
    const TableColumn& column = column_called(name);
    if (name == kTransitId) {
      transit_group = column.group;
    } else if (!column.in_product && std::ranges::find(taken, name) == taken.end()) {
      out.push_back({column, column.group});
      taken.push_back(name);
    }
  }
  if (is_merging || transit_group != kNowhere) {
    out.push_back({column_called(kTransitId), transit_group});
  }
  return out;
}

void declare_columns(const std::vector<Wanted>& wanted, const std::string& release,
                     qsohost::Ports& ports) {
  for (const std::string_view band : kBands) {
    const std::string group = group_of(band);
    ports.adds_group({.name = group,
                      .survey = "gaia",
                      .band = std::string(band),
                      .time = "time",
                      .mag = "mag",
                      .mag_err = "mag_err",
                      .time_system = qsohost::kGaiaTime,
                      .has_position = false});  // the catalogue has it, per row
    ports.adds({.group = group,
                .name = "epoch_id",
                .dtype = DType::I64,
                .help = "position of the epoch in the source's arrays",
                .file_name = fmt::format("{}_epoch_id", band)});
    ports.adds({.group = group,
                .name = "mag_err",
                .dtype = DType::F64,
                .unit = "mag",
                .help = "2.5 / ln 10 x flux_error / flux",
                .file_name = prefix_of(band) + "mag_error"});
  }
  for (const auto& [table, group] : wanted) {
    if (group == kNowhere) continue;
    const bool is_time = !group.empty() && table.column == "time";
    ports.adds({.group = group,
                .name = table.column,
                .dtype = table.dtype,
                .unit = table.unit,
                .help = is_time && !release.empty() ? release + ": " + table.help : table.help,
                .file_name = group.empty() ? "" : table.name,
                .in_product = table.in_product});
  }
}

std::vector<std::size_t> match_columns(const std::string& place, std::span<const Found> found,
                                       const std::vector<Wanted>& wanted) {
  std::vector<TableColumn> columns{column_called("source_id")};
  for (const Wanted& w : wanted) columns.push_back(w.table);
  std::vector<std::string> names;
  for (const Found& f : found) names.push_back(f.name);
  std::vector<std::size_t> positions;
  std::vector<std::string> missing;
  for (const TableColumn& column : columns) {
    const auto position = column.name == "source_id" ? position_of(kIdNames, names)
                                                     : position_of(role_called(column.name), names);
    if (!position) {
      missing.push_back(column.name);
      continue;
    }
    const std::string problem = misfit(found[*position], column);
    if (!problem.empty()) {
      throw RunError(fmt::format("{}: column '{}': {}", place, names[*position], problem));
    }
    positions.push_back(*position);
  }
  if (missing.empty()) return positions;
  throw RunError(fmt::format(
      "{}: there is no column {}; it must be Gaia's table epoch_photometry, arrays with a row for "
      "each source, or a row for each transit",
      place, fmt::join(missing, ", ")));
}

}  // namespace gaia
