#include "table.hpp"

#include <catch2/catch.hpp>

using namespace qsohost;
using Catch::Matchers::Contains;
constexpr auto kUser = TableOrigin::User;

TEST_CASE("CSV and TSV are told apart by their header") {
  CHECK(TableReader("a,b\n1,2\n").format() == TableFormat::Csv);
  CHECK(TableReader("a\tb\n1\t2\n").format() == TableFormat::Tsv);
  CHECK(TableReader("a\tb, c\n").format() == TableFormat::Csv);
  CHECK(read_rows("a\tb\n1,5\t2\n") == Rows{{"1,5", "2"}});
}

TEST_CASE("comments, blank lines, CRLF and a byte order mark") {
  const char* text = "\xEF\xBB\xBF# made by hand\r\n\r\nid,name\r\n1,x\r\n2,\r\n\r\n \r\n";
  TableReader reader(text, kUser);
  CHECK(reader.columns() == std::vector<std::string>{"id", "name"});
  CHECK(reader.column("name") == 1u);
  CHECK_FALSE(reader.column("Name").has_value());
  std::vector<std::string_view> cells;
  REQUIRE(reader.next(cells));
  CHECK(reader.line() == 4);
  REQUIRE(reader.next(cells));
  CHECK(cells == std::vector<std::string_view>{"2", ""});
  CHECK_FALSE(reader.next(cells));
  CHECK_FALSE(reader.next(cells));
}

TEST_CASE("quoted cells") {
  CHECK(read_rows("a,b\n\"x, y\",\"he said \"\"no\"\"\"\n") == Rows{{"x, y", "he said \"no\""}});
  CHECK(read_rows("a,b\n\"\",\"\"\"\"\n") == Rows{{"", "\""}});
  CHECK(read_rows("\"a\",b\n1,\"2\"\n") == Rows{{"1", "2"}});
  CHECK(read_rows("a,b\n\"one\ntwo\",3\n4,5\n") == Rows{{"one\ntwo", "3"}, {"4", "5"}});
}

TEST_CASE("cells stay good when further rows are read") {
  TableReader reader("a\n\"1\"\"\"\n\"2\"\"\"\n");
  std::vector<std::string_view> first;
  std::vector<std::string_view> second;
  REQUIRE(reader.next(first));
  REQUIRE(reader.next(second));
  CHECK(first[0] == "1\"");
  CHECK(second[0] == "2\"");
}

TEST_CASE("lines are counted across quoted line ends") {
  TableReader reader("a,b\n\"one\ntwo\",3\n4,5\n");
  std::vector<std::string_view> cells;
  REQUIRE(reader.next(cells));
  CHECK(reader.line() == 2);
  REQUIRE(reader.next(cells));
  CHECK(reader.line() == 4);
}

TEST_CASE("malformed quotes name the line") {
  CHECK_THROWS_AS(read_rows("a,b\n1,2\n\"3\"x\",4\"\n"), BadObject);
  CHECK_THROWS_WITH(read_rows("a,b\n1,2\n\"3\" x,4\n", kUser), Contains("line 3"));
  CHECK_THROWS_WITH(read_rows("a,b\n1,\"2\n3,4\n", kUser),
                    Contains("line 2") && Contains("never closed"));
  CHECK_THROWS_AS(read_rows("a,b\n1,\"2\n3,4\n", kUser), BadObject);
}

TEST_CASE("a header alone is a table without rows") {
  CHECK(read_rows("oid,mjd\n").empty());
  CHECK(read_rows("oid,mjd", kUser).empty());
}

TEST_CASE("a row with another number of cells") {
  CHECK_THROWS_AS(read_rows("a,b\n1\n"), BadObject);
  CHECK_THROWS_WITH(read_rows("a,b\n1,2\n1,2,3\n"), Contains("line 3") && Contains("3 cells"));
  CHECK_THROWS_AS(read_rows("a,b\n\n1,2\n"), BadObject);
}

TEST_CASE("an archive's answer that does not end in a newline was cut") {
  CHECK_THROWS_AS(read_rows("a,b\n1,2\n1"), TryAgain);
  // All cells are there, but the last number may have had more digits.
  CHECK_THROWS_AS(read_rows("a,b\n1,2\n1,2"), TryAgain);
  CHECK_THROWS_WITH(read_rows("a,b\n1,2\n1,2"), Contains("line 3") && Contains("cut"));
  CHECK_THROWS_AS(TableReader("oid,exp"), TryAgain);
  CHECK_THROWS_AS(read_rows("a,b\n1,\"2"), TryAgain);
}

TEST_CASE("a user's file may end without a newline") {
  CHECK(read_rows("a,b\n1,2", kUser) == Rows{{"1", "2"}});
  CHECK_THROWS_AS(read_rows("a,b\n1,2\n1", kUser), BadObject);
}

TEST_CASE("an empty answer, an HTML page, an XML page") {
  for (const char* text : {"", "  \n\n", "<html><body>503 Service Unavailable</body></html>\n",
                           "<!DOCTYPE HTML>\n<html><title>503 Service Unavailable</title></html>",
                           "<?xml version=\"1.0\"?><error>503 Service Unavailable</error>\n"}) {
    INFO(text);
    CHECK_THROWS_AS(TableReader(text), TryAgain);
    CHECK_THROWS_AS(TableReader(text, kUser), BadObject);
  }
  CHECK_THROWS_WITH(TableReader("<html><body>503 Service\nUnavailable</body></html>\n"),
                    Contains("HTML") && Contains("503 Service Unavailable"));
}

TEST_CASE("an error page behind the first rows") {
  CHECK_THROWS_AS(read_rows("a,b\n1,2\n<html>Gateway time-out</html>\n"), TryAgain);
}
