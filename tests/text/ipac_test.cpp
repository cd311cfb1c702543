#include "table.hpp"

#include <catch2/catch.hpp>

using namespace qsohost;
using Catch::Matchers::Contains;

namespace {

const std::string kHead =
    "\\fixlen = T\n"
    "\\ a comment | with a bar\n"
    "|             oid|      mjd|filtercode| name      |\n"
    "|            long|   double|      char| char      |\n"
    "|                |        d|          |           |\n"
    "|            null|     -999|      null|           |\n";

}  // namespace

TEST_CASE("an IPAC table: columns by the bars, values stripped") {
  const std::string text = kHead +
                           "  675103300002930  58202.35         zg  two words \n"
                           "  675103300002931      -999         zr            \n";
  TableReader reader(text);
  CHECK(reader.format() == TableFormat::Ipac);
  CHECK(reader.columns() == std::vector<std::string>{"oid", "mjd", "filtercode", "name"});
  std::vector<std::string_view> cells;
  REQUIRE(reader.next(cells));
  CHECK(cells == std::vector<std::string_view>{"675103300002930", "58202.35", "zg", "two words"});
  CHECK(reader.line() == 7);
  REQUIRE(reader.next(cells));
  CHECK(cells[1].empty());  // the column's null
  CHECK_FALSE(reader.next(cells));
}

TEST_CASE("an IPAC header gives the units of its columns, and which are texts") {
  const std::vector<TableField> fields = TableReader(kHead).fields();
  REQUIRE(fields.size() == 4);
  CHECK(fields[1].name == "mjd");
  CHECK(fields[1].unit == "d");
  CHECK_FALSE(fields[1].is_text);
  CHECK(fields[0].unit.empty());
  CHECK(fields[2].is_text);
  CHECK_FALSE(TableReader("| c |\n").fields()[0].is_text);
  CHECK(TableReader("| a |\n| c |\n").fields()[0].is_text);
}

TEST_CASE("an IPAC header of names only, and rows without trailing blanks") {
  CHECK(read_rows("| a | b |\n  1   2\n  3\n") == Rows{{"1", "2"}, {"3", ""}});
  CHECK(read_rows("| a | b |\n").empty());
}

TEST_CASE("an IPAC value across a bar, and text behind the last one") {
  CHECK_THROWS_AS(read_rows("| a | b |\n 12345 2  \n"), BadObject);
  CHECK_THROWS_WITH(read_rows("| a | b |\n  1   2  \n 12345 2  \n"),
                    Contains("line 3") && Contains("character 5"));
  CHECK_THROWS_AS(read_rows("| a | b |\n  1   2    3\n"), BadObject);
  CHECK_THROWS_AS(read_rows("| a | b |\n| int |i|\n"), BadObject);
}

TEST_CASE("an IPAC table that was cut or refused") {
  CHECK_THROWS_AS(read_rows(kHead + "  675103300002930  58202.3"), TryAgain);
  CHECK_THROWS_AS(read_rows("| a | b"), TryAgain);
  CHECK_THROWS_AS(read_rows("\\ERROR = 'too many users'\n"), TryAgain);
  CHECK_THROWS_WITH(read_rows("\\ERROR = 'too many users'\n"), Contains("too many users"));
  CHECK(read_rows("| a | b |\n  1   2  ", TableOrigin::User).size() == 1);
}
