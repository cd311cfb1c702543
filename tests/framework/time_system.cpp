#include "qsohost/time_system.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <string>

using namespace qsohost;

TEST_CASE("time systems have names, which can be read back") {
  const auto [system, name] = GENERATE(table<TimeSystem, std::string>(
      {{kMjdUtc, "MJD UTC"},
       {kMjdTai, "MJD TAI"},
       {kGaiaTime, "BJD TCB - 2455197.5"},
       {{TimeScale::UTC, 0, TimePlace::Heliocentre}, "HJD UTC"},
       {{TimeScale::TDB, kMjdZero, TimePlace::Barycentre}, "BJD TDB - 2400000.5"},
       {{TimeScale::TT, 0, TimePlace::Observatory}, "JD TT"},
       {{TimeScale::TCG, 2450000, TimePlace::Geocentre}, "GJD TCG - 2450000"}}));
  CHECK(name_of(system) == name);
  CHECK(time_system_of(name) == system);
  const auto from_fits = time_system_from_fits(fits_name_of(system.scale),
                                               fits_name_of(system.place), system.zero - kMjdZero);
  CHECK(from_fits == system);
}

TEST_CASE("other names are no time system") {
  const auto words = GENERATE(as<std::string>{}, "", "MJD", "MJD GPS", "XJD UTC", "MJD UTC - 1",
                              "BJD TCB -", "BJD TCB - soon", "BJD TCB - 1 d", "UTC MJD");
  INFO(words);
  CHECK_FALSE(time_system_of(words));
  CHECK(name_of(TimeSystem{}).empty());
}

TEST_CASE("a time of another zero point is known by its size") {
  const TimeSystem jd{TimeScale::UTC, 0, TimePlace::Heliocentre};
  const TimeSystem bjd_mjd{TimeScale::TDB, kMjdZero, TimePlace::Barycentre};
  CHECK(misplaced_time(kMjdUtc, 2458300.5) == "this looks like JD; MJD is JD - 2400000.5");
  CHECK(misplaced_time(bjd_mjd, 2458300.5) == "this looks like JD; MJD is JD - 2400000.5");
  CHECK(misplaced_time(kGaiaTime, 2458300.5) == "this looks like JD; the time is JD - 2455197.5");
  CHECK(misplaced_time(jd, 58300) ==
        "this is too small for JD; it looks like MJD, and JD is MJD + 2400000.5");
}

TEST_CASE("a time that may be right is not refused") {
  const TimeSystem jd{TimeScale::UTC, 0, TimePlace::Heliocentre};
  CHECK(misplaced_time(jd, 2458300.5).empty());
  for (const double value : {58300.0, 0.0, -20000.0, std::nan("")}) {
    CHECK(misplaced_time(kMjdUtc, value).empty());
    CHECK(misplaced_time(kGaiaTime, value).empty());
  }
  CHECK(misplaced_time(jd, std::nan("")).empty());
  CHECK(misplaced_time(TimeSystem{}, 2458300.5).empty());  // of unknown meaning
}
