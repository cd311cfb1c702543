// Results of tasks: how they are read.
#include <catch2/catch.hpp>

#include <qsohost/error.hpp>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include "queue.hpp"
#include "result.hpp"

using atlas::Epoch;
using atlas::parse_result;
using Catch::Matchers::Contains;

TEST_CASE("every row of a result is an epoch; a negative flux has no magnitude") {
  const auto result =
      parse_result(kHeader + row(57300.25, 18.51, 144, 'o') + row(57301.5, -19.0, -91, 'c', 1) +
                   row(57302.5, -25.2, 0, 'o') + row(57303.5, 24.9, 0, 'o'));
  REQUIRE(result.epochs.size() == 4);
  const Epoch& first = result.epochs[0];
  CHECK(first.mjd == 57300.25);
  CHECK(first.band == 'o');
  CHECK(first.mag == 18.51F);
  CHECK(first.flux == 144);
  CHECK(first.chi_n == 1.2F);
  CHECK(first.x == 2179.59F);
  CHECK(first.phi == -51);
  CHECK(first.apfit == -0.396F);
  CHECK(first.sky == 21.28F);
  const Epoch& second = result.epochs[1];
  CHECK(second.row == 1);
  CHECK(second.flux == -91);
  CHECK(second.flux_err == 15);
  CHECK(std::isnan(second.mag));
  CHECK(second.mag_err == 0.05F);
  CHECK(second.err == 1);
  CHECK(std::isnan(result.epochs[2].mag));  // a flux that was rounded to 0 from below
  CHECK(result.epochs[3].mag == 24.9F);
}

TEST_CASE("columns are found by name; those that are not there, and missing words, are NaN") {
  const auto result =
      parse_result("###F uJy MJD err duJy m dm Sky\nc 7 57300.5 null 2 NaN -- 21\n");
  REQUIRE(result.epochs.size() == 1);
  CHECK(result.epochs[0].mjd == 57300.5);
  CHECK(result.epochs[0].sky == 21);
  for (const auto member : {&Epoch::mag, &Epoch::mag_err, &Epoch::err, &Epoch::apfit}) {
    CHECK(std::isnan(result.epochs[0].*member));
  }
}

TEST_CASE("rows of other filters are counted") {
  const auto result = parse_result(kHeader + row(57300.5, 18.5, 144, 'H'));
  CHECK(result.epochs.empty());
  CHECK(result.other == std::map<std::string, std::int64_t>{{"H", 1}});
}

TEST_CASE("a text that is no whole result is asked for again, and its place is named") {
  const std::string good = kHeader + row(57300.5, 18.5, 144, 'o');
  CHECK_THROWS_AS(parse_result(""), qsohost::TryAgain);
  CHECK_THROWS_WITH(parse_result("<html>moved"), Contains("does not begin with ###MJD: '<html>"));
  CHECK_THROWS_WITH(parse_result(good.substr(0, good.size() - 40)),
                    Contains("line 2 of the result has") && Contains("its header 19"));
  CHECK_THROWS_WITH(parse_result("###MJD m dm uJy F\n"), Contains("no column duJy"));
  std::string bad = good;
  bad.replace(bad.find("2179.59"), 7, "21x9.59");
  CHECK_THROWS_WITH(parse_result(bad), Contains("line 2 of the result: x is '21x9.59'"));
  bad.replace(bad.find("57300.500000"), 12, "null");
  CHECK_THROWS_WITH(parse_result(bad), Contains("MJD is 'null'"));
}

TEST_CASE("an answer of the service, as it was recorded", "[.data]") {
  const char* data = std::getenv("QSO_SHARED_DATA");
  std::ifstream file(std::string(data == nullptr ? "" : data) +
                     "/archives/atlas/result_sample.txt");
  if (!file) {
    std::cout << "skipped: no recorded answer of ATLAS in QSO_SHARED_DATA\n";
    return;
  }
  std::stringstream text;
  text << file.rdbuf();
  const auto result = parse_result(text.str());
  REQUIRE(result.epochs.size() == 5);
  CHECK(result.other.empty());
  const Epoch& last = result.epochs[4];
  CHECK(last.mjd == 59228.265532);
  CHECK(last.band == 'c');
  CHECK(last.mag == 17.223F);
  CHECK(last.mag_err == 0.049F);
  CHECK(last.flux == 469);
  CHECK(last.flux_err == 23);
  CHECK(last.chi_n == 3.9F);
  CHECK(last.x == 2237.25F);
  CHECK(last.y == 9167.94F);
  CHECK(last.maj == 4.31F);
  CHECK(last.min == 3.88F);
  CHECK(last.phi == -43.7F);
  CHECK(last.apfit == -0.473F);
  CHECK(last.mag5sig == 18.95F);
  CHECK(last.sky == 21.2F);
  CHECK(result.epochs[0].mjd == 59226.235875);
  // m = 23.9 - 2.5 log10 uJy, but for the rounding of both.
  for (const Epoch& epoch : result.epochs) {
    CHECK(epoch.mag == Approx(23.9 - 2.5 * std::log10(epoch.flux)).margin(0.002));
  }
}
