// What the numbers in a column of times mean: scale, zero point, and the place where the light
// arrives. In FITS headers: TIMESYS, MJDREF and TREFPOS (Rots et al. 2015, A&A 574, A36).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "qsohost/api.hpp"

namespace qsohost::inline v1 {

// None: not known.
enum class TimeScale : std::uint8_t { None, UTC, TAI, TT, TCG, TDB, TCB };
enum class TimePlace : std::uint8_t { Observatory, Geocentre, Heliocentre, Barycentre };

inline constexpr double kMjdZero = 2400000.5;  // Julian date of MJD 0

struct TimeSystem {
  TimeScale scale = TimeScale::None;
  double zero = kMjdZero;  // Julian date, in this scale, at which a time is 0; times are in days
  TimePlace place = TimePlace::Observatory;
  bool is_known() const { return scale != TimeScale::None; }
  bool operator==(const TimeSystem&) const = default;
};

inline constexpr TimeSystem kMjdUtc{TimeScale::UTC, kMjdZero, TimePlace::Observatory};
inline constexpr TimeSystem kMjdTai{TimeScale::TAI, kMjdZero, TimePlace::Observatory};
// Gaia's archive: days since 2010-01-01.
inline constexpr TimeSystem kGaiaTime{TimeScale::TCB, 2455197.5, TimePlace::Barycentre};

// "MJD UTC", "JD TT", "HJD UTC", "BJD TCB - 2455197.5", "GJD TT - 2450000"; "" if it is not known.
// The first letter of [HBG]JD is the place.
QSOHOST_API std::string name_of(const TimeSystem& system);
// The inverse; none for other texts.
QSOHOST_API std::optional<TimeSystem> time_system_of(std::string_view name);

// The values of TIMESYS and TREFPOS, and the inverse; MJDREF is zero - kMjdZero.
QSOHOST_API std::string_view fits_name_of(TimeScale scale);  // "UTC"
QSOHOST_API std::string_view fits_name_of(TimePlace place);  // "BARYCENTER"
QSOHOST_API std::optional<TimeSystem> time_system_from_fits(std::string_view timesys,
                                                            std::string_view trefpos,
                                                            double mjdref);

// Why a value cannot be a time of this system, judged by its size: a Julian date where days since a
// later zero point belong, or the reverse; e.g. "this looks like JD; MJD is JD - 2400000.5". "" for
// any other value, NaN included, and if the system is not known.
QSOHOST_API std::string misplaced_time(const TimeSystem& system, double value);

}  // namespace qsohost::inline v1
