#include <catch2/catch.hpp>
#include <cmath>

#include "qsohost/error.hpp"
#include "qsohost/io/text.hpp"

using namespace qsohost;
using Catch::Matchers::Contains;

TEST_CASE("cells by the names of their columns") {
  TableReader table("id,flux,name\n7,1.5,a\n8,,b\n");
  TableRow row(table);
  REQUIRE(row.next());
  CHECK(row.integer("id") == 7);
  CHECK(row.number("flux") == 1.5);
  CHECK(row.text("name") == "a");
  REQUIRE(row.next());
  CHECK(std::isnan(row.number("flux")));
  CHECK(row.integer("id") == 8);
  CHECK_FALSE(row.next());
}

TEST_CASE("what is wrong with a cell is said with its place") {
  TableReader table("id,flux\nx,bright\n");
  TableRow row(table);
  REQUIRE(row.next());
  CHECK_THROWS_AS(row.integer("id"), BadObject);
  CHECK_THROWS_WITH(row.number("flux"),
                    Contains("line 2") && Contains("flux") && Contains("bright"));
  CHECK_THROWS_AS(row.number("mag"), TryAgain);
  CHECK_THROWS_WITH(row.number("mag"), Contains("'mag'") && Contains("id, flux"));
}
