#include "zones.hpp"

#include <utility>

namespace crossmatch {

namespace {

constexpr double kSlack = 1e-9;            // deg
constexpr double kLeastHeight = 1.0 / 60;  // deg: about 100 of a million places in a zone

}  // namespace

Zones::Zones(std::span<const Place> places, double radius_arcsec)
    : radius_arcsec_(radius_arcsec),
      reach_(radius_arcsec / 3600 + kSlack),
      height_(std::max(kLeastHeight, reach_)),
      last_zone_(std::floor(180 / height_)),
      places_(by_zone(places)),
      begins_(begins_of_zones(places)) {
  for (std::size_t zone = 0; zone + 1 < begins_.size(); ++zone) {
    const auto part = std::span(places_).subspan(begins_[zone], begins_[zone + 1] - begins_[zone]);
    std::ranges::sort(part, {}, [](const Place& p) { return std::pair(p.ra, p.row); });
  }
}

std::vector<std::uint64_t> Zones::begins_of_zones(std::span<const Place> places) const {
  std::vector<std::uint64_t> begins(static_cast<std::size_t>(last_zone_) + 2, 0);
  for (const Place& place : places) ++begins[zone_of(place.dec) + 1];
  for (std::size_t i = 1; i < begins.size(); ++i) begins[i] += begins[i - 1];
  return begins;
}

std::vector<Place> Zones::by_zone(std::span<const Place> places) const {
  std::vector<std::uint64_t> next = begins_of_zones(places);
  std::vector<Place> sorted(places.size());
  for (const Place& place : places) sorted[next[zone_of(place.dec)]++] = place;
  return sorted;
}

}  // namespace crossmatch
