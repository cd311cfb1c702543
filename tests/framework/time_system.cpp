#include "qsohost/time_system.hpp"

#include <catch2/catch.hpp>
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
