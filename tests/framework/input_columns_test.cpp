#include "qsohost/io/input_columns.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "qsohost/error.hpp"

using namespace qsohost;
using Catch::Contains;
using Names = std::vector<std::string>;

TEST_CASE("a column is found by its spelling, then by its letters") {
  const Names table{"z", "Z", "RA"};
  CHECK(find_column(table, "Z", "t", "x") == 1);
  CHECK(find_column(table, "ra", "t", "x") == 2);
  CHECK_THROWS_WITH(find_column(Names{"Ra", "RA"}, "ra", "t.fits", "left_ra"),
                    Contains("t.fits: column 'ra' (option 'left_ra') could be 'Ra' or 'RA'"));
  CHECK_THROWS_WITH(find_column(Names{"ra", "dec"}, "rab", "t.fits", "ra"),
                    Contains("t.fits: there is no column 'rab' (option 'ra')") && Contains("'ra'"));
}

TEST_CASE("a name that two columns have is refused, never the first of them") {
  CHECK_THROWS_WITH(find_column(Names{"ra", "dec", "ra"}, "ra", "t.fits", "ra"),
                    Contains("column 'ra' (option 'ra') is there 2 times"));
}

TEST_CASE("two columns of objects cannot have names that differ in case alone") {
  ObjectNames names;
  names.add("source_id", "name", "a.fits");
  names.add("z", "z", "a.fits");
  CHECK(names.has("Source_ID"));
  CHECK_FALSE(names.has("name"));
  CHECK_THROWS_WITH(names.add("Z", "Z", "b.fits"),
                    Contains("column 'z' of a.fits and column 'Z' of b.fits; list the columns") &&
                        Contains("option 'columns'"));
  CHECK_THROWS_WITH(names.add("SOURCE_ID", "SOURCE_ID", "a.fits"),
                    Contains("column 'name' of a.fits and column 'SOURCE_ID' of a.fits"));
}

TEST_CASE("units of angles are recognised however they are written") {
  CHECK(degrees_in("") == 1);
  CHECK(degrees_in("Degrees") == 1);
  CHECK(degrees_in("rad").value() == Approx(57.29577951308232).epsilon(1e-15));
  CHECK(degrees_in("h") == 15);
  CHECK(degrees_in("arcsec").value() == Approx(1 / 3600.0).epsilon(1e-15));
  CHECK_FALSE(degrees_in("mag"));
  CHECK_FALSE(degrees_in("deg/yr"));
}

TEST_CASE("positions must be numbers in a unit of angles, one a row") {
  const auto error = [](const InputColumn& column) -> std::string {
    try {
      check_position_column(column, "t.fits", "left_ra");
    } catch (const RunError& e) {
      return e.what();
    }
    return "none";
  };
  CHECK(error({.info = {"ra", DType::F64, "rad", ""}}) == "none");
  CHECK(error({.info = {"ra", DType::I32, "", ""}}) == "none");
  CHECK_THAT(error({.info = {"ra", DType::F64, "pixel", ""}}),
             Contains("t.fits: column 'ra' (option 'left_ra') has the unit 'pixel'"));
  CHECK_THAT(error({.info = {"ra", DType::String, "", ""}, .not_number = "line 2 has 'x'"}),
             Contains("must be numbers, one a row, but line 2 has 'x'"));
  CHECK_THAT(error({.info = {"ra", DType::String, "", ""}}), Contains("but it holds string"));
  CHECK_THAT(error({.info = {"ra", DType::F64, "", "", 2}}), Contains("several values a row"));
  CHECK_THAT(error({.info = {"ra", DType::F64, "", ""}, .is_array = true}),
             Contains("it holds arrays"));
}
