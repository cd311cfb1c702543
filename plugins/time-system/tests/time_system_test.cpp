#include <catch2/catch.hpp>

#include <cmath>
#include <qsohost/error.hpp>
#include <qsohost/testing.hpp>
#include <qsohost/time_converter.hpp>

using namespace qsohost;
using Catch::Contains;

namespace {

using Options = std::vector<std::pair<std::string, std::string>>;

const Options kToMjd{{"to", "\"BJD TDB - 2400000.5\""}};

LightCurve curve(std::vector<double> times) {
  const std::vector<double> ones(times.size(), 1);
  return {std::move(times), ones, ones};
}

std::vector<double> times(Harness& h, const char* group) {
  const Group& of = h.batch().group(group);
  const auto values = of.at(of.info().time).values<double>();
  return {values.begin(), values.end()};
}

std::vector<double> expected(const std::vector<double>& mjd, double ra, double dec) {
  return times_on(kBjdTdb, kMjdUtc, mjd, ra, dec);
}

// A light curve of one epoch for one object, of times that mean `system`.
void add_curve(Harness& h, const char* name, const TimeSystem& system, double time) {
  Group& group = h.batch().add_group({.name = name,
                                      .survey = "own",
                                      .band = "g",
                                      .time = "t",
                                      .mag = "mag",
                                      .mag_err = "mag_err",
                                      .time_system = system});
  for (const char* column : {"t", "mag", "mag_err"}) {
    group.add({column, DType::F64, column[0] == 't' ? "d" : "mag", ""}).append(time);
  }
  group.close_row();
}

std::string refusal(Harness& h) {
  try {
    h.run();
  } catch (const UsageError& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("times become those of the barycentre, and the group says so") {
  Harness h("time-system", kToMjd);
  h.targets({{1, 150, 2}, {2, 10, -60}});
  h.light_curves("ztf.g", {curve({58300.4, std::nan(""), 58000}), curve({58300.4})});
  h.run();
  const std::vector<double> found = times(h, "ztf.g");
  CHECK(found[0] == expected({58300.4}, 150, 2)[0]);
  CHECK(found[0] == Approx(58300.4 - 236.6418452 / 86400).epsilon(1e-15));  // see its own test
  CHECK(std::isnan(found[1]));
  CHECK(found[2] == expected({58000}, 150, 2)[0]);
  CHECK(found[3] == expected({58300.4}, 10, -60)[0]);
  CHECK(h.batch().group("ztf.g").info().time_system == kBjdTdb);
  CHECK(h.count("ztf.g", "epochs in") == 4);
  CHECK(h.count("ztf.g", "times converted") == 3);
  CHECK(h.bad_objects().empty());
}

TEST_CASE("all groups with a known time system are converted, or those that are named") {
  const bool is_named = GENERATE(false, true);
  Options options = kToMjd;
  if (is_named) options.emplace_back("groups", "[\"gaia.g\"]");
  Harness h("time-system", options);
  h.targets({{1, 150, 2}});
  h.light_curves("ztf.g", {curve({58300.4})});
  add_curve(h, "gaia.g", kGaiaTime, 3000);
  add_curve(h, "own.g", {}, 12345);
  h.run();
  CHECK(times(h, "ztf.g") ==
        (is_named ? std::vector<double>{58300.4} : expected({58300.4}, 150, 2)));
  CHECK(times(h, "gaia.g") == times_on(kBjdTdb, kGaiaTime, std::vector{3000.0}, 0, 0));
  CHECK(times(h, "own.g") == std::vector<double>{12345});
  CHECK_FALSE(h.batch().group("own.g").info().time_system.is_known());
  REQUIRE(h.messages().size() == (is_named ? 0 : 1));
  if (!is_named) CHECK_THAT(h.messages()[0], Contains("'own.g' stay as they are"));
}

TEST_CASE("an object without position is told of, and its times are NaN") {
  Harness h("time-system", kToMjd);
  h.targets({{1, std::nan(""), 2}, {2, 10, -60}, {3, 10, 95}, {4, std::nan(""), 2}});
  h.light_curves("ztf.g", {curve({58300.4, 58301.4}), curve({58300.4}), curve({58300}), curve({})});
  add_curve(h, "gaia.g", kGaiaTime, 3000);
  for (int i = 0; i < 3; ++i) h.batch().group("gaia.g").close_row();
  h.run();
  CHECK(h.batch().rows() == 4);
  CHECK(std::isnan(times(h, "ztf.g")[0]));
  CHECK(times(h, "ztf.g")[2] == expected({58300.4}, 10, -60)[0]);
  CHECK(times(h, "gaia.g")[0] > 58000);  // at the barycentre as before
  REQUIRE(h.bad_objects().size() == 2);  // 4 has nothing to lose
  CHECK(h.bad_objects()[0] ==
        "1: ztf.g: 2 of 2 times are NaN now: ra = nan, dec = 2 is no position to correct light "
        "travel for");
  CHECK_THAT(h.bad_objects()[1], Contains("3: ztf.g: 1 of 1") && Contains("dec = 95"));
}

TEST_CASE("times that cannot be converted are NaN, and told of") {
  Harness h("time-system", kToMjd);
  h.targets({{1, 150, 2}});
  h.light_curves("ztf.g", {curve({0, 58300, 41000, 80000})});
  h.run();
  CHECK(std::isnan(times(h, "ztf.g")[0]));
  CHECK(std::isnan(times(h, "ztf.g")[2]));
  REQUIRE(h.bad_objects().size() == 1);
  CHECK_THAT(h.bad_objects()[0], Contains("2 of 4 times are NaN now: 0 in MJD UTC is not between"));
  CHECK(h.count("ztf.g", "times converted") == 2);
  CHECK(h.count("ztf.g", "after the last known leap second, taken as the last") == 1);
}

TEST_CASE("what cannot be converted is refused, with what to do") {
  SECTION("a group of unknown meaning") {
    Harness h("time-system", {{"groups", "[\"own.g\"]"}});
    h.targets({{1, 150, 2}});
    add_curve(h, "own.g", {}, 12345);
    CHECK_THAT(refusal(h), Contains("'own.g'") && Contains("not known; say it where"));
  }
  SECTION("no group of known meaning") {
    Harness h("time-system");
    h.targets({{1, 150, 2}});
    add_curve(h, "own.g", {}, 12345);
    CHECK_THAT(refusal(h), Contains("no light curve here has a known time system"));
  }
  SECTION("a group that is not there") {
    Harness h("time-system", {{"groups", "[\"ztf.x\"]"}});
    h.light_curves("ztf.g", {curve({58300})});
    CHECK_THAT(refusal(h), Contains("no group 'ztf.x' here; there is ztf.g"));
  }
  SECTION("no column of positions") {
    Harness h("time-system", {{"ra", "\"alpha\""}});
    h.light_curves("ztf.g", {curve({58300})});
    CHECK(refusal(h) ==
          "the times of 'ztf.g' (MJD UTC) cannot be brought to BJD TDB without the objects' "
          "position, from which the light comes: name the columns of ra and dec");
  }
  SECTION("no time system") {
    CHECK_THROWS_WITH(Harness("time-system", {{"to", "\"BJD\""}}).run(),
                      Contains("to = \"BJD\" is no time system; write e.g. \"BJD TDB\""));
  }
  SECTION("one group twice") {
    CHECK_THROWS_WITH(Harness("time-system", {{"groups", "[\"a.g\", \"a.g\"]"}}).run(),
                      Contains("'a.g' is named twice"));
  }
}
