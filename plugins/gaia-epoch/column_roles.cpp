#include "column_roles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>

#include "bands.hpp"

namespace gaia {

namespace {

bool is_same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::vector<ColumnRole> make_roles() {
  std::vector<ColumnRole> roles{
      {"solution_id", "solution_id", ""},
      {"n_transits", "n_transits", ""},
      {"transit_id", "transit_id", ""},
      {"g_transit_time", "g_obs_time", "TimeG"},
      {"g_transit_mag", "g_mag", "Gmag"},
      {"g_transit_flux", "g_flux", "FG"},
      {"g_transit_flux_error", "g_flux_error", "e_FG"},
      {"g_transit_flux_over_error", "g_flux_over_error", ""},
      {"g_transit_n_obs", "g_n_obs", ""},
      {"bp_obs_time", "bp_obs_time", "TimeBP"},
      {"bp_mag", "bp_mag", "BPmag"},
      {"bp_flux", "bp_flux", "FBP"},
      {"bp_flux_error", "bp_flux_error", "e_FBP"},
      {"bp_flux_over_error", "bp_flux_over_error", ""},
      {"rp_obs_time", "rp_obs_time", "TimeRP"},
      {"rp_mag", "rp_mag", "RPmag"},
      {"rp_flux", "rp_flux", "FRP"},
      {"rp_flux_error", "rp_flux_error", "e_FRP"},
      {"rp_flux_over_error", "rp_flux_over_error", ""},
      {"variability_flag_g_reject", "variability_flag_g_reject", "GrVFlag"},
      {"variability_flag_bp_reject", "variability_flag_bp_reject", "BPrVFlag"},
      {"variability_flag_rp_reject", "variability_flag_rp_reject", "RPrVFlag"},
      {"photometry_flag_noisy_data", "photometry_flag_noisy_data", "noisyFlag"},
  };
  for (const Flag& flag : flags()) {
    if (std::ranges::find(roles, flag.name, &ColumnRole::dr3) != roles.end()) continue;
    roles.push_back({flag.name, flag.name, ""});
  }
  return roles;
}

}  // namespace

const std::vector<ColumnRole>& column_roles() {
  static const std::vector<ColumnRole> roles = make_roles();
  return roles;
}

const ColumnRole& role_called(std::string_view dr3_name) {
  const auto role = std::ranges::find(column_roles(), dr3_name, &ColumnRole::dr3);
  if (role == column_roles().end()) {
    throw std::logic_error(fmt::format("no role {} in epoch_photometry", dr3_name));
  }
  return *role;
}

std::optional<std::size_t> position_of(std::span<const std::string_view> names,
                                       std::span<const std::string> columns) {
  for (const std::string_view name : names) {
    const auto found = std::ranges::find_if(
        columns, [&](const std::string& column) { return is_same_name(column, name); });
    if (!name.empty() && found != columns.end()) {
      return static_cast<std::size_t>(found - columns.begin());
    }
  }
  return std::nullopt;
}

std::optional<std::size_t> position_of(const ColumnRole& role,
                                       std::span<const std::string> columns) {
  const std::array<std::string_view, 3> names{role.dr3, role.dr4, role.vizier};
  return position_of(names, columns);
}

// Bits 0 to 11: SM, AF1 to AF9, BP, RP unavailable; 12 to 23: the same rejected; 24: noisier than
// expected (inferred from the data model and from values that are served).
std::optional<FlagBit> flag_bit(std::string_view flag) {
  constexpr int kFlagsOfAKind = 12;
  constexpr int kNoisy = 24;
  constexpr int kBp = 10;
  constexpr int kRp = 11;
  const auto& all = flags();  // noisy_data, twelve unavailable, twelve rejected, variability
  const auto found = std::ranges::find(all, flag, &Flag::name);
  const auto place = static_cast<int>(found - all.begin());
  if (place == 0) return FlagBit{"g_other_flags", kNoisy};
  const int bit = place - 1;
  if (bit >= 2 * kFlagsOfAKind) return std::nullopt;
  const int unit = bit % kFlagsOfAKind;
  const char* band = unit == kBp ? "bp" : unit == kRp ? "rp" : "g";
  return FlagBit{fmt::format("{}_other_flags", band), bit};
}

}  // namespace gaia
