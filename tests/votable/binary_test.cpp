// VOTables with BINARY and BINARY2. The first ones were written by astropy 5.2, the others by hand
// from the standard, since astropy writes no texts of varying length.
#include "votable.hpp"

using namespace qsohost;
using Catch::Matchers::Contains;
using Texts = std::vector<std::string>;

namespace {

std::string field(const std::string& name, const std::string& type, const std::string& size = "",
                  const std::string& null = "") {
  return fmt::format("<FIELD name=\"{}\" datatype=\"{}\"{}><VALUES{}/></FIELD>\n", name, type,
                     size.empty() ? "" : " arraysize=\"" + size + "\"",
                     null.empty() ? "" : " null=\"" + null + "\"");
}

std::string binary(const std::string& form, const std::string& fields, const std::string& base64,
                   const std::string& table = "TABLE") {
  return votable(fmt::format(
      "<{}>{}<DATA><{}><STREAM encoding=\"base64\">\n{}\n</STREAM></{}></DATA></TABLE>\n", table,
      fields, form, base64, form));
}

const std::string kAstropyFields =
    field("flag", "bit") + field("byte", "unsignedByte", "", "255") +
    field("short", "short", "", "-1") + field("int", "int", "", "-99") +
    field("long", "long", "", "-9223372036854775808") + field("float", "float") +
    field("double", "double") + field("name", "unicodeChar", "4") +
    field("vec", "int", "3", "-99") + field("mjd", "double", "*");

const Rows kAstropyRows{
    {"true", "0", "-32768", "-5", "1237650371555231745", "0.1", "0.1", "'0012'", "(1 2 3)",
     "[58000.5 58001.25]"},
    {"false", "null", "32767", "2147483647", "-9007199254740993", "-inf", "inf", "'NULL'",
     "(4 5 6)", "[]"},
    {"false", "null", "null", "null", "null", "nan", "nan", "null", "(null null null)", "[1]"}};

// Three rows with texts and arrays of varying length.
const std::string kVarying =
    field("name", "char", "10*") + field("mjd", "double", "*") + field("n", "short", "", "-1");
const std::string kVaryingRows =
    "AAAACU5HQyA0MTUxIAAAAAJA7FIQAAAAAEDsUigAAAAAAAcAAAAAAAAAAP//AAAABzNDIDI3MwAAAAABP/gAAAAAAAAA"
    "Aw==";

}  // namespace

TEST_CASE("BINARY as astropy writes it") {
  CHECK(
      rows_of(open(binary(
          "BINARY", kAstropyFields,
          "CACAAP////sRLQR0oK4IAT3MzM0/uZmZmZmZmgAwADAAMQAyAAAAAQAAAAIAAAADAAAAAkDsUhAAAAAAQOxSKAAA"
          "AAAA/3//f//////f/////////4AAAH/wAAAAAAAAAE4AVQBMAEwAAAAEAAAABQAAAAYAAAAACP///////52AAAAA"
          "AAAAAH/AAAB/+AAAAAAAAAAAAAAAAAAA////nf///53///+dAAAAAT/wAAAAAAAA"))) == [] {
        Rows rows = kAstropyRows;
        rows[2][0] = "true";  // BINARY has no null for it, and this is what astropy writes
        return rows;
      }());
}

TEST_CASE("BINARY2 as astropy writes it") {
  Rows rows = kAstropyRows;
  rows[2][0] = "null";
  CHECK(
      rows_of(open(binary(
          "BINARY2", kAstropyFields,
          "AAAIAIAA////+xEtBHSgrggBPczMzT+5mZmZmZmaADAAMAAxADIAAAABAAAAAgAAAAMAAAACQOxSEAAAAABA7FIo"
          "AAAAAAAAAP9//3//////3/////////+AAAB/8AAAAAAAAABOAFUATABMAAAABAAAAAUAAAAGAAAAAP+ACP//////"
          "/52AAAAAAAAAAH/AAAB/+AAAAAAAAAAAAAAAAAAA////nf///53///+dAAAAAT/wAAAAAAAA"))) == rows);
}

TEST_CASE("texts and arrays of varying length") {
  const Rows rows{{"'NGC 4151'", "[58000.5 58001.25]", "7"},
                  {"null", "[]", "null"},
                  {"'3C 273'", "[1.5]", "3"}};
  CHECK(rows_of(open(binary("BINARY", kVarying, kVaryingRows))) == rows);
  // Line ends anywhere, and CDATA.
  std::string broken;
  for (const char c : kVaryingRows)
    broken += std::string(1, c) + (broken.size() % 3 == 0 ? "\n" : "");
  CHECK(rows_of(open(binary("BINARY", kVarying, broken))) == rows);
  CHECK(rows_of(open(binary("BINARY", kVarying, "<![CDATA[" + kVaryingRows + "]]>"))) == rows);
}

TEST_CASE("BINARY2: flagged cells are null, whatever they hold") {
  const std::string fields = field("flag", "boolean") + field("byte", "unsignedByte") +
                             field("id", "long") + field("name", "char", "4") +
                             field("vec", "float", "2") + field("mjd", "double", "*");
  CHECK(
      rows_of(open(binary(
          "BINARY2", fields,
          "AFT/ES0EdKCuCAEwMDEyPczMzX/AAAAAAAACP/gAAAAAAABABAAAAAAAAPxGAQAAAAAAAAACYWJjZD+AAABAAAAA"
          "AAAAAUAIAAAAAAAAID8AAAAAAAAAAANhYgB6P4AAAEAAAAAAAAAA"))) ==
      Rows{{"true", "255", "1237650371555231745", "'0012'", "(0.1 nan)", "[1.5 2.5]"},
           {"null", "null", "null", "null", "(nan nan)", "[]"},
           {"null", "0", "null", "'ab'", "(1 2)", "[]"}});
}

TEST_CASE("booleans of BINARY") {
  CHECK(column_of(binary("BINARY", field("b", "boolean"), "VHQxRmYwID8A")) ==
        Texts{"true", "true", "true", "false", "false", "false", "null", "null", "null"});
  CHECK_THAT(error_of([] { open(binary("BINARY", field("b", "boolean"), "VHg=")); }),
             Contains("row 2: column 'b': byte 120"));
}

TEST_CASE("texts of every kind, and columns that are passed over") {
  const std::string fields = field("names", "char", "4x3") + field("uni", "unicodeChar", "4") +
                             field("v", "short", "3x*") + field("bits", "bit", "*") +
                             field("z", "floatComplex") + field("latin", "char", "*") +
                             field("texts", "char", "3x*") + field("n", "int");
  InputTable table = open(binary(
      "BINARY", fields,
      "YWIgIGNkZWZmICAgAE0A/CCsAAAAAAACAAEAAgADAAQABQAGAAAACwECP4AAAEAAAAAAAAAJTfxsbGVyIElYAAAAAnh4"
      "eHl5eQAAACo="));
  CHECK(rows_of(table, 0, 1) == Rows{{"('ab' 'cdef' 'f')", "'M\xC3\xBC\xE2\x82\xAC'",
                                      "[1 2 3 4 5 6]", "'M\xC3\xBCller IX'", "42"}});
  CHECK_THAT(table.warnings().at(0),
             Contains("t.vot: column 'latin': bytes that are not UTF-8") && Contains("row 1"));
}

TEST_CASE("columns without values take no bytes") {
  const std::string fields = field("t", "char", "0") + field("a", "int", "0") +
                             field("b", "char", "8x0x2") + field("c", "int", "0x3") +
                             field("n", "short");
  CHECK(rows_of(open(binary("BINARY", fields, "AAEAAg=="))) == Rows{{"null", "1"}, {"null", "2"}});
  CHECK_THAT(error_of([] { open(binary("BINARY", field("t", "char", "0"), "AAEAAg==")); }),
             Contains("no bytes"));
}

TEST_CASE("UTF-16 beyond the first plane, and half a pair") {
  InputTable table = open(binary("BINARY", field("u", "unicodeChar", "3"), "2D3eCQB42D0AeAB5"));
  CHECK(rows_of(table, 0, 2) == Rows{{"'\xF0\x9F\x98\x89x'"}, {"'\xEF\xBF\xBDxy'"}});
  CHECK_THAT(table.warnings().at(0), Contains("column 'u'") && Contains("row 2"));
}

TEST_CASE("binary data that are cut or wrong name line and row") {
  const auto error = [](const std::string& fields, const std::string& base64) {
    return error_of([&] { open(binary("BINARY", fields, base64)); });
  };
  const std::string cut = kVaryingRows.substr(0, 40);
  CHECK_THAT(error(kVarying, cut), Contains("line 9") && Contains("30 bytes into row 1"));
  CHECK_THAT(error(kVarying, cut.substr(0, 39)), Contains("base64 text ends too early, in row 1"));
  CHECK_THAT(error(kVarying, "AAAA*A"),
             Contains("line 8: the base64 text") && Contains("base64 does not have"));
  CHECK_THAT(error(kVarying, kVaryingRows + "AAAA"), Contains("more than its end"));
  CHECK_THAT(error(field("a", "short", "*"), "/////w=="),
             Contains("row 1: column 'a': an array of -1"));
  // An array that the data cannot hold asks for no memory.
  CHECK_THAT(error(field("a", "double", "1000x*"), "f////w=="), Contains("4 bytes into row 1"));
  CHECK_THAT(error(field("a", "integer"), "AAAA"), Contains("'a'") && Contains("is not known"));
}

TEST_CASE("data that are not in the file are refused with where they are") {
  const auto error = [](const std::string& data) {
    return error_of([&] {
      open(votable("<TABLE>" + field("a", "int") + "<DATA>" + data + "</DATA></TABLE>\n"));
    });
  };
  CHECK_THAT(error("<BINARY><STREAM href=\"http://archive/t.bin\"/></BINARY>"),
             Contains("the data are elsewhere: http://archive/t.bin"));
  CHECK_THAT(error("<BINARY><STREAM encoding=\"gzip\">AAAA</STREAM></BINARY>"), Contains("'gzip'"));
  CHECK_THAT(error("<FITS><STREAM encoding=\"base64\">AAAA</STREAM></FITS>"),
             Contains("FITS file inside of the VOTable"));
  CHECK_THAT(error("<BINARY2></BINARY2>"), Contains("without a STREAM"));
}

TEST_CASE("binary rows over many blocks") {
  std::string base64;
  for (int i = 0; i < 1000; ++i) base64 += "AAECAwQF";  // three shorts: 1, 515, 1029
  InputTable table = open(binary("BINARY", field("a", "short"), base64, "TABLE nrows=\"3000\""));
  CHECK(table.rows() == 3000);
  CHECK(rows_of(table, 1022, 4) == Rows{{"1029"}, {"1"}, {"515"}, {"1029"}});
}
