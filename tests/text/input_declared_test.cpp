// IPAC and ECSV tables as inputs: what their headers declare wins over guesses.
#include "input.hpp"

#include <catch2/catch.hpp>

using namespace qsohost;
using Catch::Matchers::Contains;
using Names = std::vector<std::string>;

namespace {

const std::string kIpac =
    "\\fixlen = T\n"
    "\\ORIGIN = 'a survey'\n"
    "\\ a comment = with an equals sign\n"
    "|    source_id|     ra|  name|       day|     n|\n"
    "|         long| double|  char|      date|   int|\n"
    "|             |    rad|      |          |      |\n"
    "|         null|   -999|   xxx|      null|    -1|\n";

std::string ecsv(const std::string& header, const std::string& rows) {
  return "# %ECSV 1.0\n# ---\n" + header + rows;
}

}  // namespace

TEST_CASE("an IPAC table has types, units and nulls") {
  const Read read(kIpac +
                  "            12   1.5e0   0012 2020-01-01      3\n"
                  "          null    -999    xxx                -1\n"
                  "            14     nan   None       null   null\n");
  CHECK(read.table.form() == "IPAC table");
  CHECK(read.names == Names{"source_id", "ra", "name", "day", "n"});
  CHECK(read.types == Names{"i64", "f64", "string", "string", "i64"});
  CHECK(read.table.columns()[1].info.unit == "rad");
  CHECK(read.rows == Rows{{"12", "1.5", "0012", "2020-01-01", "3"},
                          {"null", "null", "null", "null", "null"},
                          {"14", "null", "None", "null", "null"}});
  CHECK(read.table.place(0) == "line 8");
  CHECK(read.table.keyword("origin") == "a survey");
  CHECK(read.table.keyword("fixlen") == "T");
  CHECK_FALSE(read.table.keyword("a comment").has_value());
  CHECK_THAT(read.table.columns()[2].not_number, Contains("declares it a text (char)"));
}

TEST_CASE("IPAC types may be shortened, and be missing") {
  CHECK(Read("| a | b | c | d | e | f |\n| i | l | r | c |   | f |\n  1   2   3  004  x   1\n")
            .types == Names{"i64", "i64", "f64", "string", "string", "f64"});
  CHECK(Read("| a | b   |\n  1   2.5\n").types == Names{"i64", "f64"});
}

TEST_CASE("an IPAC header of too many lines, and cells that are not of the declared type") {
  CHECK_THAT(refusal("| a |\n|int|\n|   |\n|   |\n|   |\n  1\n"),
             Contains("line 5") && Contains("fifth"));
  const Read read("|    a|  b|\n|  int|int|\n  1.5    2\n");
  CHECK(read.names == Names{"b"});
  CHECK(read.table.columns()[0].problem == "line 3 has '1.5', but the header declares int");
}

TEST_CASE("an IPAC integer beyond 64 bits keeps its digits") {
  const Read read(
      "|            specobjid|\n|                 long|\n  12895678123456789013\n  15\n");
  CHECK(read.types == Names{"string"});
  CHECK(read.rows == Rows{{"12895678123456789013"}, {"15"}});
}

TEST_CASE("an ECSV table as astropy writes it, separated by blanks") {
  const Read read(ecsv(
      "# datatype:\n"
      "# - {name: source_id, datatype: int64}\n"
      "# - {name: ra, unit: deg, datatype: float64, description: 'it''s the right ascension, a "
      "text\n"
      "#     of two lines'}\n"
      "# - {name: name, datatype: string}\n"
      "# - {name: ok, datatype: bool}\n"
      "# - {name: mag, datatype: float32}\n"
      "# - {name: u 1, datatype: uint64}\n"
      "# meta: !!omap\n"
      "# - {comments: [a, 'datatype:']}\n"
      "# - nested:\n"
      "#     datatype: [1, 2]\n"
      "# schema: astropy-2.0\n",
      "source_id ra name ok mag \"u 1\"\n"
      "1 1.5 \"a b\" True 17.5 1\n"
      "\"\" \"\" \"\" \"\" \"\" \"\"\n"
      "3 nan None False nan 18446744073709551615\n"));
  CHECK(read.table.form() == "ECSV table");
  CHECK(read.names == Names{"source_id", "ra", "name", "ok", "mag", "u 1"});
  CHECK(read.types == Names{"i64", "f64", "string", "bool", "f32", "string"});
  CHECK(read.table.columns()[1].info.unit == "deg");
  CHECK(read.table.columns()[1].info.description ==
        "it's the right ascension, a text of two lines");
  CHECK(read.rows == Rows{{"1", "1.5", "a b", "1", "17.5", "1"},
                          {"null", "null", "null", "null", "null", "null"},
                          {"3", "null", "None", "0", "null", "18446744073709551615"}});
  CHECK(read.table.place(0) == "line 17");
}

TEST_CASE("an ECSV table separated by commas, with columns in block style") {
  const Read read(
      ecsv("# delimiter: ','\n"
           "# datatype:\n"
           "# - name: id\n"
           "#   datatype: string\n"
           "#   description: \"caf\\xe9 \\u03bb, a\\\n"
           "#     \\ long one\"\n"
           "#   meta:\n"
           "#     k:\n"
           "#     - 1\n"
           "#     - {name: 'b: c'}\n"
           "# -   name: 'flux'\n"
           "#     unit: erg / (s cm2 Hz)\n"
           "#     datatype: float64\n"
           "#     format: '%.3f'\n",
           "id,flux\n0012,1.5\n,\n"));
  CHECK(read.types == Names{"string", "f64"});
  CHECK(read.table.columns()[0].info.description == "caf\xC3\xA9 \xCE\xBB, a long one");
  CHECK(read.table.columns()[1].info.unit == "erg / (s cm2 Hz)");
  CHECK(read.rows == Rows{{"0012", "1.5"}, {"null", "null"}});
}

TEST_CASE("arrays in ECSV: of any length, of fixed length, of several dimensions") {
  const Read read(
      ecsv("# delimiter: ','\n"
           "# datatype:\n"
           "# - {name: mjd, datatype: string, subtype: 'float64[null]'}\n"
           "# - {name: n, datatype: string, subtype: 'int32[2]'}\n"
           "# - {name: m, datatype: string, subtype: 'float32[2,3]'}\n"
           "# - {name: t, datatype: string, subtype: 'string[2]'}\n"
           "# - {name: one, datatype: string, subtype: 'int64[1]'}\n"
           "# - {name: json, datatype: string, subtype: json}\n",
           "mjd,n,m,t,one,json\n"
           "\"[1.5, NaN, null]\",\"[1,null]\",\"[[1,2,5],[3,4.5,6]]\",\"[\"\"a\"\","
           "\"\"b\\u00e9\"\"]\",[7],\"{\"\"a\"\": 1}\"\n"
           "[],,,,,\n"
           "[2],\"[3,4]\",\"[[1,2,3],[4,5,6]]\",\"[\"\"c\"\",null]\",[8],[]\n"));
  CHECK(read.types == Names{"f64", "i32", "f32", "string", "i64", "string"});
  CHECK(read.table.columns()[0].is_array);
  CHECK(read.table.columns()[2].info.width == 6);
  CHECK(read.table.columns()[2].info.shape == std::vector<std::size_t>{3, 2});
  CHECK(read.table.columns()[1].info.shape.empty());
  CHECK(
      read.rows ==
      Rows{{"[1.5,null,null]", "[1,null]", "[1,2,5,3,4.5,6]", "[a,b\xC3\xA9]", "7", "{\"a\": 1}"},
           {"[]", "[null,null]", "[null,null,null,null,null,null]", "[null,null]", "null", "null"},
           {"[2]", "[3,4]", "[1,2,3,4,5,6]", "[c,null]", "8", "[]"}});
}

TEST_CASE("flags in quotes, as Gaia's archive writes its lists") {
  const Read read(
      ecsv("# delimiter: ','\n"
           "# datatype:\n"
           "# - {name: flag, datatype: string, subtype: 'bool[null]'}\n"
           "# - {name: n, datatype: string, subtype: 'int16[null]'}\n",
           "flag,n\n\"[\"\"True\"\",\"\"False\"\",null]\",\"[\"\"9\"\",8]\"\n"));
  CHECK(read.types == Names{"bool", "i16"});
  CHECK(read.rows == Rows{{"[1,0,null]", "[9,8]"}});
}

TEST_CASE("a malformed list in ECSV is named, and only its column is lost") {
  for (const std::string list : {"[1,]", "[1,,2]", "[,1]", "[1 2]", "[1", "1]", "[1]]", "[[1]", "x",
                                 "[x]", "[\"x\"]", "[1.5]", "[1,2,3]"}) {
    INFO(list);
    const Read read(
        ecsv("# delimiter: ;\n# datatype:\n"
             "# - {name: a, datatype: string, subtype: 'int64[2]'}\n"
             "# - {name: b, datatype: int16}\n",
             "a;b\n" + list + ";1\n"));
    CHECK(read.names == Names{"b"});
    CHECK_THAT(read.table.columns()[0].problem,
               Contains("line 8 has '") && Contains("declares int64[2]"));
  }
}

TEST_CASE("types of ECSV that are not read are a problem of their columns alone") {
  const Read read(
      ecsv("# datatype:\n"
           "# - {name: c, datatype: complex128}\n"
           "# - {name: v, datatype: string, subtype: 'float64[2,null]'}\n"
           "# - {name: s, datatype: string, subtype: 'string[null]'}\n"
           "# - {name: n, datatype: int8}\n",
           "c v s n\n1+2j [[1,2]] [\"\"] 70\n"));
  CHECK(read.names == Names{"n"});
  const auto& columns = read.table.columns();
  CHECK_THAT(columns[0].problem, Contains("complex128"));
  CHECK_THAT(columns[1].problem, Contains("[2,null]"));
  CHECK_THAT(columns[2].problem, Contains("texts of any length"));
}

TEST_CASE("integers of ECSV that are too large for their type") {
  const Read read(ecsv("# datatype:\n# - {name: a, datatype: int16}\n", "a\n70000\n"));
  CHECK(read.table.columns()[0].problem == "line 6 has '70000', but the header declares int16");
}

TEST_CASE("malformed headers of ECSV name the line") {
  CHECK_THAT(refusal(ecsv("# datatype:\n# - {name: a, datatype: int64}\n", "b\n1\n")),
             Contains("line 5: column 1 is 'b', where the header above declares 'a'"));
  CHECK_THAT(refusal(ecsv("# datatype:\n# - {name: a, datatype: int64}\n", "a b\n1 2\n")),
             Contains("line 5: 2 columns, where the header above declares 1"));
  CHECK_THAT(refusal(ecsv("# datatype:\n# - {name: a}\n", "a\n1\n")),
             Contains("line 4") && Contains("a datatype"));
  CHECK_THAT(refusal(ecsv("# datatype:\n# - {name: 'a, datatype: int64}\n", "a\n1\n")),
             Contains("line 4") && Contains("never closed"));
  CHECK_THAT(
      refusal(ecsv("# delimiter: '|'\n# datatype:\n# - {name: a, datatype: int64}\n", "a\n")),
      Contains("line 3") && Contains("delimiter '|'"));
  CHECK_THAT(refusal(ecsv("# meta: 1\n", "a\n1\n")), Contains("declares no columns"));
  CHECK_THAT(refusal(ecsv("# nonsense\n", "a\n1\n")), Contains("line 3"));
}
