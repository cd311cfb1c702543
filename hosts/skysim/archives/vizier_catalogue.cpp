#include "archives/vizier_catalogue.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string_view>

namespace qsohost::skysim {

namespace {

constexpr double kYears = 2000.0 - 2016.0;
constexpr double kMasPerDegree = 3.6e6;
constexpr double kArcsecPerDegree = 3600;

std::size_t place_of(const TapTable& table, std::string_view name) {
  const auto it = std::ranges::find(table.columns, name, &TapColumn::name);
  return static_cast<std::size_t>(it - table.columns.begin());
}

double number(const TapCell& cell) {
  const auto* value = std::get_if<double>(&cell);
  return value == nullptr ? 0 : *value;  // no motion is known
}

}  // namespace

VizierCatalogue::VizierCatalogue(const TapTable& table) {
  const std::size_t ra = place_of(table, "RA_ICRS");
  const std::size_t dec = place_of(table, "DE_ICRS");
  const std::size_t pm_ra = place_of(table, "pmRA");
  const std::size_t pm_dec = place_of(table, "pmDE");
  table.fill([&](std::span<const TapCell> cells) {
    const Position then{number(cells[ra]), number(cells[dec])};
    const double cosine = std::cos(then.dec * std::numbers::pi / 180);
    const Position now{then.ra + number(cells[pm_ra]) * kYears / kMasPerDegree / cosine,
                       then.dec + number(cells[pm_dec]) * kYears / kMasPerDegree};
    places_.push_back({now, rows_.size()});
    rows_.emplace_back(cells.begin(), cells.end());
  });
  std::ranges::sort(places_, {}, [](const Place& place) { return place.position.dec; });
}

std::vector<VizierCatalogue::Match> VizierCatalogue::within(const Position& position,
                                                            double arcsec) const {
  const double width = arcsec / kArcsecPerDegree;
  const auto dec = [](const Place& place) { return place.position.dec; };
  auto it = std::ranges::lower_bound(places_, position.dec - width, {}, dec);
  std::vector<Match> matches;
  for (; it != places_.end() && it->position.dec <= position.dec + width; ++it) {
    const double distance = separation_arcsec(position, it->position);
    if (distance <= arcsec) matches.push_back({it->row, distance});
  }
  std::ranges::sort(matches, [](const Match& a, const Match& b) {
    return a.arcsec != b.arcsec ? a.arcsec < b.arcsec : a.row < b.row;
  });
  return matches;
}

}  // namespace qsohost::skysim
