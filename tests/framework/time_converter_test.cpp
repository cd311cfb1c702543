#include "qsohost/time_converter.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "qsohost/error.hpp"

using namespace qsohost;
using Catch::Matchers::Contains;

namespace {

constexpr double kDay = 86400;
constexpr double kRa = 150, kDec = 2;

// From astropy 5.2.1: t = Time(mjd, format='mjd', scale='utc', location=<centre of the Earth>), its
// scales, and t.tdb + t.light_travel_time(SkyCoord(150, 2, unit='deg'), kind=...,
// ephemeris='builtin'). Two are on 2016-12-31, which has a leap second, and on the day after.
struct Known {
  double mjd_utc;
  double tai, tt, tcg, tdb, tcb, barycentre, heliocentre;  // s after mjd_utc
};
constexpr Known kKnown[] = {
    {41317.25, 10.0000000, 42.1840000, 42.0740029, 42.1839249, 39.7367866, 346.6355047,
     346.1885147},
    {50000.0, 29.0000000, 61.1840000, 61.5968318, 61.1823148, 70.3670149, -283.8175828,
     -286.8773822},
    {55197.75, 34.0000000, 66.1840000, 66.9098126, 66.1839274, 82.3317888, 377.5299928,
     375.2222269},
    {57753.999995, 36.9999950, 69.1839950, 70.0637313, 69.1839455, 88.7562849, 374.1192207,
     374.6405256},
    {57754.25, 37.0000000, 69.1840000, 70.0637514, 69.1839578, 88.7566322, 375.7848455,
     376.3054735},
    {58300.4, 37.0000000, 69.1840000, 70.0966376, 69.1840883, 89.4884120, -236.6418452,
     -238.0106041},
    {60600.125, 37.0000000, 69.1840000, 70.2351148, 69.1823905, 92.5675387, -227.5735497,
     -229.1772141},
};

// Results are counted from the whole day of the date, so that a double holds them to 0.01 ns.
TimeSystem since(double mjd, TimeScale scale, TimePlace place = TimePlace::Observatory) {
  return {scale, kMjdZero + std::floor(mjd), place};
}

double one(const TimeSystem& to, const TimeSystem& from, double time) {
  return times_on(to, from, std::vector{time}, kRa, kDec).at(0);
}

GroupInfo group(const char* name, const TimeSystem& system) {
  return {.name = name, .time_system = system};
}

}  // namespace

TEST_CASE("scales agree with astropy to a microsecond, places to ten") {
  for (const Known& known : kKnown) {
    const auto error = [&](TimeScale scale, TimePlace place, double seconds) {
      const TimeSystem to = since(known.mjd_utc, scale, place);
      const double fraction = known.mjd_utc - std::floor(known.mjd_utc);
      return (one(to, kMjdUtc, known.mjd_utc) - fraction) * kDay - seconds;
    };
    INFO(known.mjd_utc);
    for (const auto& [scale, seconds] : {std::pair{TimeScale::TAI, known.tai},
                                         {TimeScale::TT, known.tt},
                                         {TimeScale::TCG, known.tcg},
                                         {TimeScale::TDB, known.tdb},
                                         {TimeScale::TCB, known.tcb}}) {
      INFO(fits_name_of(scale));
      CHECK(std::abs(error(scale, TimePlace::Geocentre, seconds)) < 1e-6);
    }
    CHECK(std::abs(error(TimeScale::TDB, TimePlace::Barycentre, known.barycentre)) < 1e-5);
    CHECK(std::abs(error(TimeScale::TDB, TimePlace::Heliocentre, known.heliocentre)) < 1e-5);
  }
}

TEST_CASE("any time system can be converted to any other and back within a microsecond") {
  std::vector<TimeSystem> systems;
  for (const TimeScale scale : {TimeScale::UTC, TimeScale::TAI, TimeScale::TT, TimeScale::TCG,
                                TimeScale::TDB, TimeScale::TCB}) {
    for (const TimePlace place : {TimePlace::Observatory, TimePlace::Geocentre,
                                  TimePlace::Heliocentre, TimePlace::Barycentre}) {
      systems.push_back({scale, 2455197.5, place});
    }
  }
  std::vector<double> times;
  for (double time = -13000; time < 6000; time += 97.31) times.push_back(time);
  for (const TimeSystem& from : systems) {
    for (const TimeSystem& to : systems) {
      const auto there = times_on(to, from, times, 10, -60);
      const auto back = times_on(from, to, there, 10, -60);
      double most = 0, moved = 0;
      for (std::size_t i = 0; i < times.size(); ++i) {
        most = std::max(most, std::abs(back[i] - times[i]) * kDay);
        moved = std::max(moved, std::abs(there[i] - times[i]) * kDay);
      }
      INFO(name_of(from) << " " << name_of(to));
      CHECK(most < 1e-6);
      CHECK(moved < 600);
    }
  }
}

TEST_CASE("a change of the zero point alone keeps the time") {
  const TimeSystem jd{TimeScale::TDB, 0, TimePlace::Barycentre};
  const TimeSystem gaia{TimeScale::TDB, 2455197.5, TimePlace::Barycentre};
  CHECK(one(gaia, jd, 2455198.75) == 1.25);
  CHECK(one(jd, gaia, 1.25) == 2455198.75);
  CHECK(one(kBjdTdb, gaia, -1e5) == -44803);  // in 1736
  CHECK(one(kBjdTdb, kBjdTdb, 0.1) == 0.1);
  const TimeSystem unknown;
  CHECK(one(unknown, unknown, 0.1) == 0.1);
}

TEST_CASE("light travel needs a position") {
  CHECK(TimeConverter(kMjdUtc, kBjdTdb).needs_position());
  CHECK_FALSE(TimeConverter(kGaiaTime, kBjdTdb).needs_position());
  CHECK_FALSE(TimeConverter(kMjdUtc, {TimeScale::TT, 0, TimePlace::Geocentre}).needs_position());
  const double nan = std::nan("");
  for (const auto& [ra, dec] : {std::pair{nan, 2.0}, {2.0, nan}, {2.0, 90.5}}) {
    CHECK(std::isnan(times_on(kBjdTdb, kMjdUtc, std::vector{58000.0}, ra, dec).at(0)));
    CHECK(times_on(kBjdTdb, kGaiaTime, std::vector{3000.0}, ra, dec).at(0) > 58000);
  }
}

TEST_CASE("times that cannot be converted are NaN, with a reason") {
  const TimeConverter from_utc(kMjdUtc, kBjdTdb);
  const TimeConverter to_utc(kBjdTdb, kMjdUtc);
  const TimeConverter without(kGaiaTime, kBjdTdb);
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK_THAT(from_utc.why_not(41316.9), Contains("before 1972 (MJD 41317)"));
  CHECK_THAT(to_utc.why_not(41316.9), Contains("before 1972"));
  CHECK_THAT(from_utc.why_not(2458300.5), Contains("between the years 1900 and 2100"));
  CHECK_THAT(without.why_not(-99999), Contains("between the years 1900 and 2100"));
  CHECK_THAT(without.why_not(infinity), Contains("between the years 1900 and 2100"));
  CHECK(without.why_not(-14000).empty());  // in 1971
  for (const double time : {41317.0, 58300.0, 88068.9, std::nan("")}) {
    CHECK(from_utc.why_not(time).empty());
    CHECK(std::isnan(one(kBjdTdb, kMjdUtc, time)) == std::isnan(time));
  }
  for (const double time : {41316.9, 2458300.5, -1e9, infinity, -infinity, 1e300}) {
    CHECK_FALSE(from_utc.why_not(time).empty());
    CHECK(std::isnan(one(kBjdTdb, kMjdUtc, time)));
  }
}

TEST_CASE("dates after the last known leap second are told") {
  CHECK_FALSE(TimeConverter(kMjdUtc, kBjdTdb).is_after_leap_seconds(60000));
  CHECK(TimeConverter(kMjdUtc, kBjdTdb).is_after_leap_seconds(80000));
  CHECK(TimeConverter(kBjdTdb, kMjdUtc).is_after_leap_seconds(80000));
  CHECK_FALSE(TimeConverter(kGaiaTime, kBjdTdb).is_after_leap_seconds(80000 - 55197));
  CHECK_FALSE(TimeConverter(kMjdUtc, kMjdUtc).is_after_leap_seconds(80000));
}

TEST_CASE("light curves of one time system stay in it, others meet in BJD TDB") {
  const std::vector<GroupInfo> ztf{group("ztf.g", kMjdUtc), group("ztf.r", kMjdUtc)};
  const std::vector<GroupInfo> mixed{group("ztf.g", kMjdUtc), group("gaia.g", kGaiaTime)};
  const std::vector<GroupInfo> unknown{group("a.g", {}), group("a.r", {})};
  CHECK(common_time_system(ztf) == kMjdUtc);
  CHECK(common_time_system(unknown) == TimeSystem{});
  CHECK(common_time_system(mixed) == kBjdTdb);
  CHECK(why_not_combinable(kMjdUtc, ztf, false).empty());
  CHECK(why_not_combinable(TimeSystem{}, unknown, false).empty());
  CHECK(why_not_combinable(kBjdTdb, mixed, true).empty());
  CHECK(why_not_combinable(kBjdTdb, std::span(mixed).last(1), false).empty());
  CHECK_THAT(why_not_combinable(kBjdTdb, mixed, false),
             Contains("'ztf.g' (MJD UTC)") && Contains("position"));
  CHECK_THAT(why_not_combinable(kBjdTdb, unknown, true),
             Contains("'a.g'") && Contains("not known") && Contains("time_system"));
  CHECK_THROWS_AS(times_on(kBjdTdb, {}, std::vector{1.0}, 1, 1), UsageError);
}
