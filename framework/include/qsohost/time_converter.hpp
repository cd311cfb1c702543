// Times of one system as times of another, through ERFA (IAU SOFA): scales, leap seconds, and the
// light travel between Earth, Sun and barycentre for an object at a known position.
//
//   const std::vector<double> bjd = times_on(kBjdTdb, kMjdUtc, curve.time, ra, dec);
//
// Scales agree with astropy.time to 1 us, places with its light_travel_time (built-in ephemeris) to
// 10 us. The observatory is taken as the centre of the Earth, which is at most 21.3 ms of light
// away, and the object as infinitely far. A double holds a Julian date to 40 us, an MJD to 0.6 us.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "qsohost/batch.hpp"
#include "qsohost/time_system.hpp"

namespace qsohost::inline v1 {

// What times of several surveys are combined in: BJD TDB - 2400000.5.
inline constexpr TimeSystem kBjdTdb{TimeScale::TDB, kMjdZero, TimePlace::Barycentre};

class QSOHOST_API TimeConverter {
 public:
  // Throws UsageError if one of them is not known, unless they are equal.
  TimeConverter(const TimeSystem& from, const TimeSystem& to);

  // Whether light travel counts. Without, `ra` and `dec` are not looked at.
  bool needs_position() const;

  // In place. ra, dec: ICRS, deg. A NaN stays NaN, and what cannot be converted becomes NaN: see
  // why_not(), and every time if a position is needed and ra and dec are none.
  void convert(std::span<double> times, double ra, double dec) const;

  // Why a time cannot be converted, wherever the object is: it is before 1900 or after 2100 or, if
  // UTC takes part, before 1972. "" if it can be, and for NaN.
  std::string why_not(double time) const;
  // Whether the conversion takes for granted that no leap second has come since the end of ERFA's
  // table: each that has makes the result wrong by 1 s.
  bool is_after_leap_seconds(double time) const;

 private:
  TimeSystem from_;
  TimeSystem to_;
};

// Whether ra and dec (deg) are a position: finite, and dec within [-90, 90].
QSOHOST_API bool is_position(double ra, double dec);

// A copy of `times`, converted by a TimeConverter.
QSOHOST_API std::vector<double> times_on(const TimeSystem& to, const TimeSystem& from,
                                         std::span<const double> times, double ra, double dec);

// In which system a stage combines the times of these light curves: the one that they share, known
// or not, else kBjdTdb.
QSOHOST_API TimeSystem common_time_system(std::span<const GroupInfo> groups);

// For Stage::declare(): why the times of these light curves cannot be brought to `to`, and what to
// do; "" if they can. `has_position`: objects have ra and dec.
QSOHOST_API std::string why_not_combinable(const TimeSystem& to, std::span<const GroupInfo> groups,
                                           bool has_position);

}  // namespace qsohost::inline v1
