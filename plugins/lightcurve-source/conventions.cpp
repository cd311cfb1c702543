#include "conventions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include <qsohost/names.hpp>

namespace curves {

namespace {

constexpr std::array<std::string_view, 3> kZtfBands{"g", "r", "i"};
constexpr std::array<std::string_view, 8> kZtfColumns{"mjd",   "mag", "magerr",   "catflags",
                                                      "sharp", "chi", "limitmag", "airmass"};
constexpr std::array<std::string_view, 3> kGaiaBands{"g", "bp", "rp"};
constexpr std::array<std::string_view, 4> kGaiaColumns{"time", "mag", "flux", "flux_error"};
// In G these are averages over the CCDs of a transit, and named so.
constexpr std::array<std::string_view, 7> kTransitColumns{
    "time", "mag", "flux", "flux_error", "mag_error", "flux_over_error", "n_obs"};
constexpr std::array<std::string_view, 8> kGaiaFlags{
    "photometry_flag_noisy_data",     "photometry_flag_sm_unavailable",
    "photometry_flag_bp_unavailable", "photometry_flag_rp_unavailable",
    "photometry_flag_sm_reject",      "variability_flag_g_reject",
    "variability_flag_bp_reject",     "variability_flag_rp_reject"};

bool contains(const auto& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool is_gaia(const qsohost::GroupInfo& group) {
  return group.survey == "gaia" && contains(kGaiaBands, group.band);
}

// Columns that have the same name in Gaia's table and in a batch.
bool is_row_column(std::string_view name) {
  return name.starts_with("photometry_flag_") || name.starts_with("variability_flag_") ||
         name == "transit_id";
}

std::string group_of_row_column(std::string_view name) {
  if (name.find("_bp_") != std::string_view::npos) return "gaia.bp";
  return name.find("_rp_") != std::string_view::npos ? "gaia.rp" : "gaia.g";
}

std::optional<EpochColumn> gaia_column(std::string_view name) {
  if (is_row_column(name)) return EpochColumn{group_of_row_column(name), std::string(name)};
  for (const std::string_view band : kGaiaBands) {
    const std::string prefix = fmt::format("{}_", band);
    if (!name.starts_with(prefix)) continue;
    std::string_view column = name.substr(prefix.size());
    if (band == "g" && column.starts_with("transit_")) column.remove_prefix(8);
    if (band != "g" && column == "obs_time") column = "time";
    if (column == "mag_error") column = "mag_err";
    return EpochColumn{fmt::format("gaia.{}", band), std::string(column)};
  }
  return std::nullopt;
}

std::vector<EpochColumn> make_product(std::string_view survey) {
  std::vector<EpochColumn> out;
  const auto add = [&](const auto& bands, const auto& columns) {
    for (const std::string_view band : bands) {
      for (const std::string_view column : columns) {
        out.push_back({fmt::format("{}.{}", survey, band), std::string(column)});
      }
    }
  };
  if (survey == "ztf") add(kZtfBands, kZtfColumns);
  if (survey == "gaia") {
    add(kGaiaBands, kGaiaColumns);
    for (const std::string_view flag : kGaiaFlags) {
      out.push_back({group_of_row_column(flag), std::string(flag)});
    }
  }
  return out;
}

}  // namespace

std::optional<EpochColumn> known_column(std::string_view file_column) {
  const std::string name = qsohost::lower_case(file_column);
  if (auto gaia = gaia_column(name)) return gaia;
  for (const std::string_view band : kZtfBands) {
    const std::string suffix = fmt::format("_{}", band);
    if (!name.ends_with(suffix) || name.size() == suffix.size()) continue;
    return EpochColumn{fmt::format("ztf.{}", band), name.substr(0, name.size() - suffix.size())};
  }
  return std::nullopt;
}

qsohost::GroupInfo known_group(std::string_view name) {
  const std::size_t dot = std::min(name.rfind('.'), name.size());
  qsohost::GroupInfo info;
  info.name = name;
  info.survey = name.substr(0, dot);
  info.band = name.substr(std::min(dot + 1, name.size()));
  if (info.survey == "ztf" && contains(kZtfBands, info.band)) {
    info.time = "mjd";
    info.mag = "mag";
    info.mag_err = "magerr";
    info.time_system = qsohost::kMjdUtc;
  } else if (is_gaia(info)) {
    info.time = "time";
    info.mag = "mag";
    info.mag_err = "mag_err";
    info.time_system = qsohost::kGaiaTime;
    info.has_position = false;
  }
  return info;
}

std::string known_file_name(const qsohost::GroupInfo& group, std::string_view column) {
  if (!is_gaia(group)) return "";
  if (is_row_column(column)) return std::string(column);
  if (column == "mag_err") column = "mag_error";
  const bool is_g = group.band == "g";
  if (is_g && contains(kTransitColumns, column)) return fmt::format("g_transit_{}", column);
  if (!is_g && column == "time") column = "obs_time";
  return fmt::format("{}_{}", group.band, column);
}

std::optional<std::size_t> known_place(const qsohost::GroupInfo& group, std::string_view column) {
  static const std::vector<EpochColumn> kZtf = make_product("ztf");
  static const std::vector<EpochColumn> kGaia = make_product("gaia");
  const std::vector<EpochColumn>& product = group.survey == "gaia" ? kGaia : kZtf;
  const auto it = std::ranges::find_if(
      product, [&](const EpochColumn& c) { return c.group == group.name && c.column == column; });
  if (it == product.end()) return std::nullopt;
  return static_cast<std::size_t>(it - product.begin());
}

}  // namespace curves
