// A spatial index: zones of declination, sorted by right ascension inside (Gray, Nieto-Santisteban
// & Szalay 2006, "The Zones Algorithm", MSR-TR-2006-52).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <qsohost/io/crossmatch_tables.hpp>
#include <qsohost/sphere.hpp>

namespace crossmatch {

using Place = qsohost::SkyPlace;
using qsohost::place_of;

// For searches of one radius; 24 bytes a place, twice that while sorting.
class Zones {
 public:
  Zones(std::span<const Place> places, double radius_arcsec);

  // The places in the order of their zones: searching in this order is several times faster than in
  // random order, because of locality.
  std::vector<Place> by_zone(std::span<const Place> places) const;

  // Calls see(place, separation in arcsec) for every place within the radius (inclusive).
  // Thread-safe.
  template <class F>
  void for_each_near(const Place& from, const F& see) const {
    const double window = qsohost::ra_reach(from.dec, reach_);
    const std::size_t last = zone_of(from.dec + reach_);
    for (std::size_t zone = zone_of(from.dec - reach_); zone <= last; ++zone) {
      if (window >= 180) {
        scan(zone, 0, 360, from, see);
        continue;
      }
      const double low = from.ra - window;
      const double high = from.ra + window;
      scan(zone, std::max(low, 0.0), std::min(high, 360.0), from, see);
      if (low < 0) scan(zone, low + 360, 360, from, see);
      if (high >= 360) scan(zone, 0, high - 360, from, see);
    }
  }

 private:
  std::size_t zone_of(double dec) const {
    return static_cast<std::size_t>(std::clamp((dec + 90) / height_, 0.0, last_zone_));
  }
  std::vector<std::uint64_t> begins_of_zones(std::span<const Place> places) const;

  template <class F>
  void scan(std::size_t zone, double from_ra, double to_ra, const Place& from, const F& see) const {
    const auto begin = places_.begin() + static_cast<std::ptrdiff_t>(begins_[zone]);
    const auto end = places_.begin() + static_cast<std::ptrdiff_t>(begins_[zone + 1]);
    for (auto it = std::ranges::lower_bound(begin, end, from_ra, {}, &Place::ra);
         it != end && it->ra <= to_ra; ++it) {
      if (std::abs(it->dec - from.dec) > reach_) continue;
      const double separation = qsohost::separation_arcsec(from.ra, from.dec, it->ra, it->dec);
      if (separation <= radius_arcsec_) see(*it, separation);
    }
  }

  double radius_arcsec_;
  double reach_;   // deg: the radius plus a margin for rounding
  double height_;  // of a zone, deg
  double last_zone_;
  std::vector<Place> places_;          // by zone, then RA, then row
  std::vector<std::uint64_t> begins_;  // of each zone, and the end
};

}  // namespace crossmatch
