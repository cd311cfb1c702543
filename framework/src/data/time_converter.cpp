#include "qsohost/time_converter.hpp"

#include <erfa.h>
#include <erfam.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/earth.hpp"
#include "data/leap_seconds.hpp"
#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

namespace {

constexpr double kDay = ERFA_DAYSEC;

// Times are counted from `system.zero`. Whole days and fractions are kept apart: the sum would be
// rounded to 40 us.
Date date_of(double time, const TimeSystem& system) {
  const double zero = system.zero - kMjdZero;
  const double zero_day = std::floor(zero);
  const double day = std::floor(time);
  return Date{zero_day + day, zero - zero_day}.plus(time - day);
}

double time_of(const Date& date, const TimeSystem& system) {
  const double zero = system.zero - kMjdZero;
  const double zero_day = std::floor(zero);
  return (date.day - zero_day) + (date.fraction - (zero - zero_day));
}

// Of ERFA's functions whose result differs from the date by little.
template <class Function>
Date by_erfa(Function convert, const Date& date) {
  double day = 0, fraction = 0;
  convert(kMjdZero + date.day, date.fraction, &day, &fraction);
  return Date{day - kMjdZero, 0}.plus(fraction);
}

Date tdb_from_tt(const Date& tt) {
  return tt.plus(tdb_minus_tt(tt) / kDay);
}

// TDB - TT changes by less than 1 ps while it passes itself.
Date tt_from_tdb(const Date& tdb) {
  return tdb.plus(-tdb_minus_tt(tdb) / kDay);
}

Date tdb_from(TimeScale scale, const Date& date) {
  switch (scale) {
    case TimeScale::UTC:
      return tdb_from(TimeScale::TAI, tai_from_utc(date));
    case TimeScale::TAI:
      return tdb_from_tt(date.plus(ERFA_TTMTAI / kDay));
    case TimeScale::TT:
      return tdb_from_tt(date);
    case TimeScale::TCG:
      return tdb_from_tt(by_erfa(eraTcgtt, date));
    case TimeScale::TCB:
      return by_erfa(eraTcbtdb, date);
    case TimeScale::TDB:
    case TimeScale::None:
      break;
  }
  return date;
}

Date from_tdb(TimeScale scale, const Date& tdb) {
  switch (scale) {
    case TimeScale::UTC:
      return utc_from_tai(from_tdb(TimeScale::TAI, tdb));
    case TimeScale::TAI:
      return tt_from_tdb(tdb).plus(-ERFA_TTMTAI / kDay);
    case TimeScale::TT:
      return tt_from_tdb(tdb);
    case TimeScale::TCG:
      return by_erfa(eraTttcg, tt_from_tdb(tdb));
    case TimeScale::TCB:
      return by_erfa(eraTdbtcb, tdb);
    case TimeScale::TDB:
    case TimeScale::None:
      break;
  }
  return tdb;
}

bool is_at_earth(TimePlace place) {
  return place == TimePlace::Observatory || place == TimePlace::Geocentre;
}

Centre centre_of(TimePlace place) {
  return place == TimePlace::Heliocentre ? Centre::Sun : Centre::Barycentre;
}

// The wave passes `place` when it is `tdb` there; when it passes the Earth.
Date at_earth(TimePlace place, const Date& tdb, const Direction& object) {
  if (is_at_earth(place)) return tdb;
  // The Earth moves by 1e-4 of the speed of light: 500 s, 50 ms, 5 us, 0.5 ns.
  Date earth = tdb;
  for (int i = 0; i < 3; ++i) {
    earth = tdb.plus(-light_delay(centre_of(place), earth, object) / kDay);
  }
  return earth;
}

Date at_place(TimePlace place, const Date& earth, const Direction& object) {
  if (is_at_earth(place)) return earth;
  return earth.plus(light_delay(centre_of(place), earth, object) / kDay);
}

Direction direction_to(double ra, double dec) {
  Direction out{};
  eraS2c(ra * ERFA_DD2R, dec * ERFA_DD2R, out.data());
  return out;
}

bool has_same_clock(const TimeSystem& a, const TimeSystem& b) {
  const bool is_same_place = a.place == b.place || (is_at_earth(a.place) && is_at_earth(b.place));
  return a.scale == b.scale && is_same_place;
}

bool takes_utc(const TimeSystem& from, const TimeSystem& to) {
  return from.scale == TimeScale::UTC || to.scale == TimeScale::UTC;
}

// Never true of NaN.
bool is_outside(const Date& date) {
  return date.day < kFirstEarthDay || date.day >= kLastEarthDay;
}

}  // namespace

TimeConverter::TimeConverter(const TimeSystem& from, const TimeSystem& to) : from_(from), to_(to) {
  if (from == to || (from.is_known() && to.is_known())) return;
  throw UsageError(
      "times of an unknown time system cannot be converted; the group must declare one");
}

bool TimeConverter::needs_position() const {
  const bool is_same = from_.place == to_.place;
  return !is_same && !(is_at_earth(from_.place) && is_at_earth(to_.place));
}

std::string TimeConverter::why_not(double time) const {
  if (has_same_clock(from_, to_) || std::isnan(time)) return "";
  const Date date = date_of(time, from_);
  if (!std::isfinite(time) || is_outside(date)) {
    return fmt::format("{} in {} is not between the years 1900 and 2100", time, name_of(from_));
  }
  if (takes_utc(from_, to_) && date.day < kFirstUtcDay) {
    return fmt::format("{} in {} is before 1972 (MJD {}), when UTC had no leap seconds yet", time,
                       name_of(from_), kFirstUtcDay);
  }
  return "";
}

bool TimeConverter::is_after_leap_seconds(double time) const {
  if (has_same_clock(from_, to_) || !takes_utc(from_, to_)) return false;
  return date_of(time, from_).day >= first_day_without_leap_seconds();
}

void TimeConverter::convert(std::span<double> times, double ra, double dec) const {
  if (from_ == to_) return;
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  if (needs_position() && !is_position(ra, dec)) {
    std::ranges::fill(times, kNone);
    return;
  }
  const Direction object = needs_position() ? direction_to(ra, dec) : Direction{};
  const double first_day = takes_utc(from_, to_) ? kFirstUtcDay : kFirstEarthDay;
  for (double& time : times) {
    const Date date = date_of(time, from_);
    if (has_same_clock(from_, to_)) {
      time = time_of(date, to_);
    } else if (!(date.day >= first_day && date.day < kLastEarthDay)) {  // NaN, too
      time = kNone;
    } else {
      Date tdb = tdb_from(from_.scale, date);
      if (needs_position()) tdb = at_place(to_.place, at_earth(from_.place, tdb, object), object);
      time = time_of(from_tdb(to_.scale, tdb), to_);
    }
  }
}

bool is_position(double ra, double dec) {
  return std::isfinite(ra) && std::abs(dec) <= 90;
}

std::vector<double> times_on(const TimeSystem& to, const TimeSystem& from,
                             std::span<const double> times, double ra, double dec) {
  std::vector<double> out(times.begin(), times.end());
  TimeConverter(from, to).convert(out, ra, dec);
  return out;
}

TimeSystem common_time_system(std::span<const GroupInfo> groups) {
  const auto is_other = [&](const GroupInfo& group) {
    return group.time_system != groups.front().time_system;
  };
  const bool is_shared = !groups.empty() && std::ranges::none_of(groups, is_other);
  return is_shared ? groups.front().time_system : kBjdTdb;
}

std::string why_not_combinable(const TimeSystem& to, std::span<const GroupInfo> groups,
                               bool has_position) {
  for (const GroupInfo& group : groups) {
    if (group.time_system == to) continue;
    if (!group.time_system.is_known()) {
      return fmt::format(
          "the times of '{}' cannot be brought to {}: its time system is not known; say it where "
          "the light curve comes from (time_system in [[stage.band]] of lightcurve-source, TIMESYS "
          "in a file's header, GroupInfo::time_system of a plugin)",
          group.name, name_of(to));
    }
    if (has_position || !TimeConverter(group.time_system, to).needs_position()) continue;
    return fmt::format(
        "the times of '{}' ({}) cannot be brought to {} without the objects' position, from which "
        "the light comes: name the columns of ra and dec",
        group.name, name_of(group.time_system), name_of(to));
  }
  return "";
}

}  // namespace qsohost::inline v1
