#include "known_tables.hpp"

#include <algorithm>
#include <array>

namespace xmatch {

namespace {

constexpr std::array<KnownTable, 3> kTables{{
    {"vizier:I/355/gaiadr3", "Source", "gaiadr3.gaia_source"},
    {"vizier:I/350/gaiaedr3", "Source", "gaiaedr3.gaia_source"},
    {"vizier:I/345/gaia2", "Source", "gaiadr2.gaia_source"},
}};

// First positions at the epoch of the catalogue.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kPositions{
    {{"RA_ICRS", "DE_ICRS"}, {"RAJ2000", "DEJ2000"}, {"ra", "dec"}}};

}  // namespace

std::optional<KnownTable> known_table(std::string_view right) {
  const auto* const it = std::ranges::find(kTables, right, &KnownTable::right);
  return it == kTables.end() ? std::nullopt : std::optional(*it);
}

std::optional<std::pair<std::string, std::string>> position_columns(
    const std::vector<std::string>& columns) {
  const auto has = [&](std::string_view name) {
    return std::ranges::find(columns, name) != columns.end();
  };
  for (const auto& [ra, dec] : kPositions) {
    if (has(ra) && has(dec)) return std::pair(std::string(ra), std::string(dec));
  }
  return std::nullopt;
}

}  // namespace xmatch
