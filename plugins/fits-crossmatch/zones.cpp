#include "zones.hpp"

#include <tuple>
#include <utility>

namespace crossmatch {

namespace {

constexpr double kSlack = 1e-9;            // deg
constexpr double kLeastHeight = 1.0 / 60;  // deg: some 100 places of a million in a zone

}  // namespace

bool is_on_sky(double ra, double dec) {
  return std::abs(dec) <= 90 && std::abs(ra) <= 360;  // false for NaN
}

Place place_of(double ra, double dec, std::uint64_t row) {
  if (ra < 0) ra += 360;
  return {ra >= 360 ? ra - 360 : ra, dec, row};
}

Zones::Zones(std::vector<Place> places, double radius_arcsec)
    : radius_arcsec_(radius_arcsec),
      reach_(radius_arcsec / 3600 + kSlack),
      height_(std::max(kLeastHeight, reach_)),
      last_zone_(std::floor(180 / height_)),
      places_(std::move(places)) {
  std::ranges::sort(places_, {}, [&](const Place& place) {
    return std::tuple(zone_of(place.dec), place.ra, place.row);
  });
  begins_.assign(static_cast<std::size_t>(last_zone_) + 2, 0);
  for (const Place& place : places_) ++begins_[zone_of(place.dec) + 1];
  for (std::size_t i = 1; i < begins_.size(); ++i) begins_[i] += begins_[i - 1];
}

double Zones::ra_window(double dec) const {
  constexpr double kNearPole = 1e-3;  // deg; there the arcsine below would lose digits
  if (std::abs(dec) + reach_ >= 90 - kNearPole) return 180;
  const double sine = std::sin(reach_ * qsohost::kDegree) / std::cos(dec * qsohost::kDegree);
  return std::asin(sine) / qsohost::kDegree + kSlack;
}

}  // namespace crossmatch
