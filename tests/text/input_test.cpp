// CSV and its relatives as inputs: separators, headers, quotes, and the types of columns.
#include "input.hpp"

#include <catch2/catch.hpp>

using namespace qsohost;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using Names = std::vector<std::string>;

namespace {

const Names kNames{"source_id", "ra", "dec", "z"};
const Names kTypes{"i64", "f64", "f64", "f64"};
const Rows kRows{{"1237650371555231745", "10.5", "-1.25", "1.5"},
                 {"6917528997577384321", "200.125", "33", "2.25"}};

void check_catalogue(std::string_view content, std::string_view form) {
  INFO(content);
  const Read read(content);
  CHECK(read.table.form() == form);
  CHECK(read.names == kNames);
  CHECK(read.types == kTypes);
  CHECK(read.rows == kRows);
  CHECK(read.table.warnings().empty());
}

}  // namespace

TEST_CASE("the header tells what separates the cells") {
  check_catalogue(
      "source_id,ra,dec,z\n1237650371555231745,10.5,-1.25,1.5\n"
      "6917528997577384321,200.125,33.0,2.25\n",
      "CSV");
  check_catalogue(
      "source_id\tra\tdec\tz\n1237650371555231745\t10.5\t-1.25\t1.5\n"
      "6917528997577384321\t200.125\t33.0\t2.25\n",
      "TSV");
  check_catalogue(
      "source_id;ra;dec;z\n1237650371555231745;10.5;-1.25;1.5\n"
      "6917528997577384321;200.125;33.0;2.25\n",
      "table separated by semicolons");
  check_catalogue(
      "source_id ra  dec z\n 1237650371555231745 10.5\t-1.25  1.5 \n"
      "6917528997577384321 200.125   33.0 2.25\n",
      "table separated by blanks");
}

TEST_CASE("a header behind a '#'") {
  const std::string commas =
      "1237650371555231745,10.5,-1.25,1.5\n6917528997577384321,200.125,33.0,2.25\n";
  const std::string blanks =
      "1237650371555231745 10.5 -1.25 1.5\n6917528997577384321 200.125 33.0 2.25\n";
  check_catalogue("# source_id,ra,dec,z\n" + commas, "CSV");
  check_catalogue("#source_id, ra, dec, z\n" + commas, "CSV");
  check_catalogue("# from a talk, 2021\n# source_id ra dec z\n" + blanks,
                  "table separated by blanks");
  check_catalogue("#source_id ra dec z\n# - - - -\n#\n" + blanks, "table separated by blanks");
  // A header without one counts more than a comment of as many words.
  check_catalogue("# four cells, as, it, happens\nsource_id,ra,dec,z\n" + commas, "CSV");
  CHECK(Read("# id\n12\n13\n").names == Names{"id"});
}

TEST_CASE("lines are counted from the beginning of the file") {
  const Read read("\xEF\xBB\xBF# a comment\n\n# id ra\n1 10.5\n2 11.5\n");
  CHECK(read.names == Names{"id", "ra"});
  CHECK(read.table.place(0) == "line 4");
  CHECK(read.table.place(1) == "line 5");
}

TEST_CASE("one column, with or without blanks in its texts") {
  CHECK(Read("source_id\n1\n2\n").rows == Rows{{"1"}, {"2"}});
  const Read read("name\nM 31\nNGC 1 b\n");
  CHECK(read.rows == Rows{{"M 31"}, {"NGC 1 b"}});
  CHECK(Read("object name\nM31\n3C 273 b\n").rows == Rows{{"M31"}, {"3C 273 b"}});
  // A blank line between rows is a missing value.
  CHECK(Read("z\n1\n\n2\n\n\n").rows == Rows{{"1"}, {"null"}, {"2"}});
}

TEST_CASE("quoted cells of a file, with blanks around them") {
  CHECK(Read("a, \"b\", c\n1, \"x, y\", 2\n").rows == Rows{{"1", "x, y", "2"}});
  CHECK(Read("a, \"b\", c\n1, \"x, y\", 2\n").names == Names{"a", "b", "c"});
  CHECK(Read("a;b\n\"he said \"\"no\"\"\"  ;2\n").rows == Rows{{"he said \"no\"", "2"}});
  CHECK(Read("a b\n\"x y\" 2\n\"\" 3\n").rows == Rows{{"x y", "2"}, {"null", "3"}});
  CHECK(Read("a,b\n\"one\ntwo\",3\n4,5\n").table.place(1) == "line 4");
  // A quote inside a cell is a character.
  CHECK(Read("name,size\nx,5\"\ny,6\"\n").rows == Rows{{"x", "5\""}, {"y", "6\""}});
}

TEST_CASE("line ends of Windows, of old Macs, and none at the end") {
  CHECK(Read("a,b\r\n1,2\r\n3,4\r\n").rows == Rows{{"1", "2"}, {"3", "4"}});
  CHECK(Read("a,b\r1,2\r3,4\r").rows == Rows{{"1", "2"}, {"3", "4"}});
  CHECK(Read("a,b\r1,2\r3,4\r").table.place(1) == "line 3");
  CHECK(Read("a,b\r\r\n1,\"x\"\r\r\n").rows == Rows{{"1", "x"}});
  CHECK(Read("a,b\n1,2\n3,4").rows == Rows{{"1", "2"}, {"3", "4"}});
}

TEST_CASE("names of columns: blanks trimmed, missing ones numbered, repeated ones kept") {
  CHECK(Read(" id , ra,,ra\n1,2,3,4\n").names == Names{"id", "ra", "col3", "ra"});
}

TEST_CASE("a column is of the type that all of its cells allow") {
  const Read read("int,float,text,hex,plus,infinite\n1,1,1,0x1f,+5,-inf\n-2,2.5,x,7,-5,Infinity\n");
  CHECK(read.types == Names{"i64", "f64", "string", "i64", "i64", "f64"});
  CHECK(read.rows ==
        Rows{{"1", "1", "1", "31", "5", "-inf"}, {"-2", "2.5", "x", "7", "-5", "inf"}});
}

TEST_CASE("integers with missing values stay integers") {
  const Read read("name,gaia_id\nx,6917528997577384321\ny,nan\nz,\n");
  CHECK(read.types == Names{"string", "i64"});
  CHECK(read.rows == Rows{{"x", "6917528997577384321"}, {"y", "null"}, {"z", "null"}});
}

TEST_CASE("integers beyond 64 bits keep all digits") {
  const Read read("specobjid\n12895678123456789013\n299567812345678901\nNULL\n");
  CHECK(read.types == Names{"string"});
  CHECK(read.rows == Rows{{"12895678123456789013"}, {"299567812345678901"}, {"null"}});
  CHECK(read.table.columns()[0].not_integer == "line 2 has '12895678123456789013'");
  CHECK(read.table.columns()[0].not_number == "line 2 has '12895678123456789013'");
  REQUIRE(read.table.warnings().size() == 1);
  CHECK_THAT(read.table.warnings()[0], Contains("'specobjid'") && Contains("beyond 64 bits"));
  CHECK(Read("flux\n12895678123456789013\n1.5\n").types == Names{"f64"});
  CHECK(Read("a,b\n9223372036854775807,-9223372036854775808\n").rows ==
        Rows{{"9223372036854775807", "-9223372036854775808"}});
}

TEST_CASE("digits with a leading zero are a text as it stands") {
  const Read read("id,z,frac,n\n0012,0,0.5,00.5\n0345,0,0.25,01.5\n");
  CHECK(read.types == Names{"string", "i64", "f64", "f64"});
  CHECK(read.rows == Rows{{"0012", "0", "0.5", "0.5"}, {"0345", "0", "0.25", "1.5"}});
  CHECK(read.table.warnings().empty());
}

TEST_CASE("floats among integers: the first is named, so that identifiers can be refused") {
  const Read read("a,b\n1.23765E18,1\n6.91752E18,2.0\n");
  CHECK(read.types == Names{"f64", "f64"});
  CHECK(read.table.columns()[0].not_integer == "line 2 has '1.23765E18'");
  CHECK(read.table.columns()[1].not_integer == "line 3 has '2.0'");
  CHECK(read.table.columns()[0].not_number.empty());
}

TEST_CASE("exponents as Fortran writes them") {
  const Read read("z\n1.5D+00\n2.25d-1\n");
  CHECK(read.types == Names{"f64"});
  CHECK(read.rows == Rows{{"1.5"}, {"0.225"}});
}

TEST_CASE("missing values are nulls in every type") {
  for (const std::string missing :
       {"", "  ", "null", "NULL", "NA", "N/A", "n/a", "--", "None", "nan", "NaN", "\\N", "\"\""}) {
    INFO(missing);
    const Read read("i,f,t,x\n1,1.5,a,1\n" + missing + "," + missing + "," + missing + ",2\n");
    CHECK(read.types == Names{"i64", "f64", "string", "i64"});
    CHECK(read.rows == Rows{{"1", "1.5", "a", "1"}, {"null", "null", "null", "2"}});
    CHECK(read.cells[0].values.is_null(1));
    CHECK(read.cells[2].values.is_null(1));
  }
}

TEST_CASE("blanks at both ends of a cell do not count") {
  CHECK(Read("id,z\nABC , 1\n\" ABC\",2\n").rows == Rows{{"ABC", "1"}, {"ABC", "2"}});
}

TEST_CASE("a column that is a text because of single cells says so") {
  const Read read("z,name\n1.5,1\n2.5,b\nabc,c\n3.5,d\n");
  CHECK(read.types == Names{"string", "string"});
  CHECK(read.table.columns()[0].not_number == "line 4 has 'abc'");
  CHECK(read.table.columns()[0].not_integer == "line 2 has '1.5'");
  CHECK(read.table.columns()[1].not_number == "line 3 has 'b'");
  const auto warnings = read.table.warnings();
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings[0], Contains("table.txt: column 'z' is a text because line 4 has 'abc'"));
}

TEST_CASE("numbers with a decimal comma are texts, with a warning") {
  const Read read("a;z\n1;1,5\n2;-2,25\n3;\n");
  CHECK(read.types == Names{"i64", "string"});
  const auto warnings = read.table.warnings();
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings[0],
             Contains("'z'") && Contains("line 2 has '1,5'") && Contains("decimal point"));
  CHECK(Read("a;z\n1;1,5\n2;x,5\n").table.warnings().empty());
}

TEST_CASE("a column without any value, and a table without rows, are floats") {
  const Read empty("source_id,ra\n");
  CHECK(empty.types == Names{"f64", "f64"});
  CHECK(empty.rows.empty());
  CHECK(empty.table.columns()[0].not_integer.empty());
  const Read read("a,b\n1,\n2,NULL\n");
  CHECK(read.types == Names{"i64", "f64"});
  CHECK(read.rows == Rows{{"1", "null"}, {"2", "null"}});
  CHECK(read.table.columns()[1].not_integer.empty());
}

TEST_CASE("texts that are not UTF-8 are taken as Latin-1, with one warning") {
  const Read read("id,name\n1,Jos\xE9\n2,J\xC3\xB6rg\n3,M\xFCller\n");
  CHECK(read.rows == Rows{{"1", "Jos\xC3\xA9"}, {"2", "J\xC3\xB6rg"}, {"3", "M\xC3\xBCller"}});
  REQUIRE(read.table.warnings().size() == 1);
  CHECK_THAT(read.table.warnings()[0], Contains("line 2") && Contains("ISO-8859-1"));
  const Read names("id,\xE9toile\n1,2\n");
  CHECK(names.names == Names{"id", "\xC3\xA9toile"});
  REQUIRE(names.table.warnings().size() == 1);
  CHECK_THAT(names.table.warnings()[0], Contains("line 1"));
}

TEST_CASE("rows in blocks, in any order, with their lines") {
  std::string text = "id,\"name\"\n";
  for (int i = 0; i < 5000; ++i) text += fmt::format("{},\"a\"\"{}\n\"\n", i, i);
  Folder folder;
  InputTable table(write_file(folder, text));
  REQUIRE(table.rows() == 5000);
  const std::vector<std::size_t> both{1, 0};
  const auto some = table.read(1020, 10, both);
  CHECK(some[1].values.values<std::int64_t>()[9] == 1029);
  CHECK(some[0].values.strings()[9] == "a\"1029");
  CHECK(table.place(1023) == "line 2048");
  CHECK(table.place(1024) == "line 2050");
  CHECK(table.place(4999) == "line 10000");
  const std::vector<std::uint64_t> rows{4999, 0, 2048, 0};
  const auto picked = table.read(rows, std::vector<std::size_t>{0});
  const auto ids = picked[0].values.values<std::int64_t>();
  CHECK(std::vector<std::int64_t>(ids.begin(), ids.end()) ==
        std::vector<std::int64_t>{4999, 0, 2048, 0});
  CHECK(table.place(0) == "line 2");
}

TEST_CASE("a file that changes while it is read is refused") {
  Folder folder;
  const auto path = write_file(folder, "id,z\n1,2.5\n2,3.5\n");
  InputTable table(path);
  std::fstream(path, std::ios::in | std::ios::out) << "id,z\n1,2.5\nx,3.5\n";
  const std::string error = error_of([&] { table.read(0, 2, std::vector<std::size_t>{0}); });
  CHECK_THAT(error, Contains("table.txt: line 3: 'x'") && Contains("must not change"));
}
