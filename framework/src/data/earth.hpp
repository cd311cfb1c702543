// Where the Earth is, and how far TDB is from TT there: ERFA's eraEpv00 and eraDtdb, which take 60
// us a date, interpolated between whole days. The interpolation is off by less than 0.3 us of
// light.
#pragma once

#include <array>
#include <cstdint>

#include "data/leap_seconds.hpp"

namespace qsohost::inline v1 {

// Dates that can be asked for: MJD of 1900-01-01 and 2100-01-01.
inline constexpr double kFirstEarthDay = 15020;
inline constexpr double kLastEarthDay = 88069;

using Direction = std::array<double, 3>;  // unit vector, ICRS

enum class Centre : std::uint8_t { Sun, Barycentre };

// By how many seconds later a plane wave from the direction `to_object` comes to the Sun or the
// barycentre than to the centre of the Earth; `tdb` is the date at the Earth.
double light_delay(Centre centre, const Date& tdb, const Direction& to_object);

// TDB - TT at the centre of the Earth, s.
double tdb_minus_tt(const Date& date);

}  // namespace qsohost::inline v1
