#include "qsohost/survey.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace qsohost::inline v1 {

namespace {

constexpr std::array<std::string_view, 3> kZtfBands{"g", "r", "i"};
constexpr std::array<std::string_view, 8> kZtfColumns{"mjd",   "mag", "magerr",   "catflags",
                                                      "sharp", "chi", "limitmag", "airmass"};
constexpr std::array<std::string_view, 3> kGaiaBands{"g", "bp", "rp"};
constexpr std::array<std::string_view, 4> kGaiaColumns{"time", "mag", "flux", "flux_error"};
// In G these are averages over the CCDs of a transit, and called so.
constexpr std::array<std::string_view, 7> kTransitColumns{
    "time", "mag", "flux", "flux_error", "mag_error", "flux_over_error", "n_obs"};
constexpr std::array<std::string_view, 12> kGaiaUnits{"sm",  "af1", "af2", "af3", "af4", "af5",
                                                      "af6", "af7", "af8", "af9", "bp",  "rp"};
constexpr std::array<std::string_view, 8> kGaiaFlags{
    "photometry_flag_noisy_data",     "photometry_flag_sm_unavailable",
    "photometry_flag_bp_unavailable", "photometry_flag_rp_unavailable",
    "photometry_flag_sm_reject",      "variability_flag_g_reject",
    "variability_flag_bp_reject",     "variability_flag_rp_reject"};

bool contains(const auto& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// Columns that go by the same name in Gaia's table and in our groups.
bool is_gaia_row_column(std::string_view name) {
  return name.starts_with("photometry_flag_") || name.starts_with("variability_flag_") ||
         name == "transit_id";
}

std::string gaia_group_of(std::string_view row_column) {
  if (row_column.find("_bp_") != std::string_view::npos) return "gaia.bp";
  return row_column.find("_rp_") != std::string_view::npos ? "gaia.rp" : "gaia.g";
}

std::optional<EpochColumn> gaia_column_of(std::string_view name) {
  if (is_gaia_row_column(name)) return EpochColumn{gaia_group_of(name), std::string(name)};
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

std::string gaia_file_column(std::string_view band, std::string_view column) {
  if (is_gaia_row_column(column)) return std::string(column);
  if (column == "mag_err") column = "mag_error";
  if (band == "g" && contains(kTransitColumns, column)) return fmt::format("g_transit_{}", column);
  if (band != "g" && column == "time") column = "obs_time";
  return fmt::format("{}_{}", band, column);
}

}  // namespace

std::optional<EpochColumn> epoch_column_of(std::string_view name) {
  if (auto gaia = gaia_column_of(name)) return gaia;
  for (const std::string_view band : kZtfBands) {
    const std::string suffix = fmt::format("_{}", band);
    if (!name.ends_with(suffix) || name.size() == suffix.size()) continue;
    return EpochColumn{fmt::format("ztf.{}", band),
                       std::string(name.substr(0, name.size() - suffix.size()))};
  }
  return std::nullopt;
}

std::string file_column_of(const GroupInfo& group, std::string_view column) {
  if (group.survey == "gaia" && contains(kGaiaBands, group.band)) {
    return gaia_file_column(group.band, column);
  }
  return fmt::format("{}_{}", column, group.band);
}

GroupInfo group_info_of(std::string_view name) {
  const std::size_t dot = std::min(name.rfind('.'), name.size());
  GroupInfo info;
  info.name = name;
  info.survey = name.substr(0, dot);
  info.band = name.substr(std::min(dot + 1, name.size()));
  if (info.survey == "ztf" && contains(kZtfBands, info.band)) {
    info.time = "mjd";
    info.mag = "mag";
    info.mag_err = "magerr";
    info.time_system = kMjdUtc;
  } else if (info.survey == "gaia" && contains(kGaiaBands, info.band)) {
    info.time = "time";
    info.mag = "mag";
    info.mag_err = "mag_err";
    info.time_system = kGaiaTime;
  }
  return info;
}

std::vector<EpochColumn> product_columns(std::string_view survey) {
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
      out.push_back({gaia_group_of(flag), std::string(flag)});
    }
  }
  return out;
}

std::vector<std::string> gaia_flags() {
  std::vector<std::string> out{"photometry_flag_noisy_data"};
  for (const char* kind : {"unavailable", "reject"}) {
    for (const std::string_view unit : kGaiaUnits) {
      out.push_back(fmt::format("photometry_flag_{}_{}", unit, kind));
    }
  }
  for (const std::string_view band : kGaiaBands) {
    out.push_back(fmt::format("variability_flag_{}_reject", band));
  }
  return out;
}

}  // namespace qsohost::inline v1
