// VOTables with TABLEDATA: types, missing values, arrays, and cells that are wrong.
#include "votable.hpp"

using namespace qsohost;
using Catch::Matchers::Contains;
using Texts = std::vector<std::string>;

TEST_CASE("types are those that the FIELDs declare") {
  InputTable table = open(votable(
      "<TABLE><FIELD name=\"flag\" datatype=\"boolean\"/><FIELD name=\"bit\" datatype=\"bit\"/>"
      "<FIELD name=\"byte\" datatype=\"unsignedByte\"/><FIELD name=\"s\" datatype=\"short\"/>"
      "<FIELD name=\"i\" datatype=\"int\"/><FIELD name=\"l\" datatype=\"long\"/>"
      "<FIELD name=\"f\" datatype=\"float\"/><FIELD name=\"d\" datatype=\"double\"/>"
      "<FIELD name=\"c\" datatype=\"char\" arraysize=\"*\"/>"
      "<FIELD name=\"u\" datatype=\"unicodeChar\" arraysize=\"8*\"/>" +
      tabledata("<TR><TD>T</TD><TD>1</TD><TD>255</TD><TD>-32768</TD><TD>0x1f</TD>"
                "<TD>1237650371555231745</TD><TD>0.1</TD><TD>1e-3</TD><TD>0012</TD>"
                "<TD>M\xC3\xBCller</TD></TR>") +
      "</TABLE>"));
  Texts types;
  for (const InputColumn& column : table.columns()) {
    types.emplace_back(name_of(column.info.dtype));
    CHECK(column.problem.empty());
  }
  CHECK(types ==
        Texts{"bool", "bool", "i16", "i16", "i32", "i64", "f32", "f64", "string", "string"});
  CHECK(table.form() == "VOTable");
  CHECK(rows_of(table, 0, 1) == Rows{{"true", "true", "255", "-32768", "31", "1237650371555231745",
                                      "0.1", "0.001", "'0012'", "'M\xC3\xBCller'"}});
  CHECK_THAT(table.columns()[8].not_number, Contains("char"));
}

TEST_CASE("units, descriptions and names") {
  const InputTable table = open(
      votable("<TABLE><FIELD name=\"ra\" datatype=\"double\" unit=\"deg\"><DESCRIPTION>\n right "
              "ascension,\n at 2016 </DESCRIPTION></FIELD>"
              "<FIELD ID=\"by_id\" datatype=\"int\"/><FIELD datatype=\"int\"/></TABLE>"));
  CHECK(table.column_names() == Texts{"ra", "by_id", "col3"});
  CHECK(table.columns()[0].info.unit == "deg");
  CHECK(table.columns()[0].info.description == "right ascension, at 2016");
  CHECK(table.rows() == 0);
}

TEST_CASE("numbers that are missing") {
  const Texts missing{"", " ", "NULL", "null", "NA", "N/A", "--", "None", "\\N", "NaN", "nan"};
  for (const char* type : {"double", "float"}) {
    for (const std::string& cell :
         column_of(one_column(fmt::format("datatype=\"{}\">", type), missing))) {
      CHECK(cell == "nan");
    }
  }
  for (const char* type : {"unsignedByte", "short", "int", "long"}) {
    for (const std::string& cell :
         column_of(one_column(fmt::format("datatype=\"{}\">", type), missing))) {
      CHECK(cell == "null");
    }
  }
  CHECK(column_of(one_column("datatype=\"double\">", {"Inf", "+Inf", "-InF", "+1.5", "1.5D+00"})) ==
        Texts{"inf", "inf", "-inf", "1.5", "1.5"});
}

TEST_CASE("declared nulls") {
  CHECK(column_of(one_column("datatype=\"int\"><VALUES null=\"-99\"/>", {"-99", "1", ""})) ==
        Texts{"null", "1", "null"});
  CHECK(column_of(one_column("datatype=\"short\"><VALUES null=\"0x7FFF\"/>", {"32767", "1"})) ==
        Texts{"null", "1"});
  CHECK(column_of(one_column("datatype=\"float\"><VALUES null=\"-99.9\"/>", {"-99.90", "1"})) ==
        Texts{"nan", "1"});
  CHECK(column_of(one_column("datatype=\"long\"><VALUES type=\"legal\" null=\"none\"/>",
                             {"none", "1"})) == Texts{"null", "1"});
  CHECK(column_of(one_column("datatype=\"char\" arraysize=\"*\"><VALUES null=\"n/a\"/>",
                             {"n/a", "NULL", ""})) == Texts{"null", "'NULL'", "null"});
}

TEST_CASE("booleans") {
  CHECK(column_of(
            one_column("datatype=\"boolean\">", {"T", "true", "1", "F", "False", "0", "?", " "})) ==
        Texts{"true", "true", "true", "false", "false", "false", "null", "null"});
}

TEST_CASE("texts stay as they are written, without blanks at their ends") {
  CHECK(column_of(one_column("datatype=\"char\" arraysize=\"*\">",
                             {"0012", " ABC ", "1.50", "a &lt; b", "<![CDATA[<x>]]>"})) ==
        Texts{"'0012'", "'ABC'", "'1.50'", "'a < b'", "'<x>'"});
}

TEST_CASE("arrays, of fixed and of any length") {
  CHECK(column_of(one_column("datatype=\"int\" arraysize=\"2x3\">",
                             {"1 2 3\n4 5 6", "", "1 null 3 4 5 6"})) ==
        Texts{"(1 2 3 4 5 6)", "(null null null null null null)", "(1 null 3 4 5 6)"});
  for (const char* size : {"*", "10*", "2x*"}) {
    const std::string text = one_column(fmt::format("datatype=\"double\" arraysize=\"{}\">", size),
                                        {"1 NaN", "", "3 4"});
    CHECK(open(text).columns()[0].is_array);
    CHECK(open(text).columns()[0].info.width == 1);
    CHECK(column_of(text) == Texts{"[1 nan]", "[]", "[3 4]"});
  }
  CHECK(column_of(one_column("datatype=\"float\" arraysize=\"1\">", {"7"})) == Texts{"7"});
  CHECK(column_of(one_column("datatype=\"char\" arraysize=\"3x2\">",
                             {"ab cd", "abc", "", "\xC3\xBC  d"})) ==
        Texts{"('ab' 'cd')", "('abc' null)", "(null null)", "('\xC3\xBC' 'd')"});
}

TEST_CASE("axes of arrays are kept, the fastest first") {
  const auto shape_of = [](const std::string& field) {
    return open(one_column(field, {""})).columns()[0].info.shape;
  };
  using Shape = std::vector<std::size_t>;
  CHECK(shape_of("datatype=\"int\" arraysize=\"2x3\">") == Shape{2, 3});
  CHECK(shape_of("datatype=\"char\" arraysize=\"8x2x3\">") == Shape{2, 3});
  for (const char* vector :
       {"datatype=\"int\" arraysize=\"6\">", "datatype=\"int\" arraysize=\"2x*\">",
        "datatype=\"char\" arraysize=\"8x2\">"}) {
    CHECK(shape_of(vector).empty());
  }
}

TEST_CASE("texts of no length are missing") {
  CHECK(column_of(one_column("datatype=\"char\" arraysize=\"0\">", {""})) == Texts{"null"});
}

TEST_CASE("columns that cannot be read say why, and the others are read") {
  InputTable table =
      open(votable("<TABLE><FIELD name=\"bits\" datatype=\"bit\" arraysize=\"8\"/>"
                   "<FIELD name=\"z\" datatype=\"doubleComplex\"/>"
                   "<FIELD name=\"texts\" datatype=\"char\" arraysize=\"8x*\"/>"
                   "<FIELD name=\"odd\" datatype=\"integer\"/>"
                   "<FIELD name=\"size\" datatype=\"int\" arraysize=\"3x\"/>"
                   "<FIELD name=\"huge\" datatype=\"int\" arraysize=\"65536x65536x65536x65536\"/>"
                   "<FIELD name=\"none\" datatype=\"int\" arraysize=\"0\"/>"
                   "<FIELD name=\"n\" datatype=\"int\"/>" +
                   tabledata("<TR><TD>1</TD><TD>1 2</TD><TD>x</TD><TD>1</TD><TD>1</TD><TD>1</TD>"
                             "<TD/><TD>5</TD></TR>") +
                   "</TABLE>"));
  const char* problems[] = {"bits", "complex", "varying length", "'integer'",
                            "'3x'", "65536",   "no values"};
  for (std::size_t i = 0; i < std::size(problems); ++i) {
    CHECK_THAT(table.columns()[i].problem, Contains(problems[i]));
  }
  CHECK(rows_of(table, 0, 1) == Rows{{"5"}});
}

TEST_CASE("a cell that is not of its type is refused with line, column and cell") {
  struct Wrong {
    const char* field;
    const char* cell;
    const char* why;
  };
  const Wrong all[] = {{"datatype=\"int\">", "12.0", "not an integer"},
                       {"datatype=\"long\">", "1.2E18", "not an integer"},
                       {"datatype=\"int\">", "abc", "not an integer"},
                       {"datatype=\"unsignedByte\">", "256", "between 0 and 255"},
                       {"datatype=\"short\">", "32768", "between -32768 and 32767"},
                       {"datatype=\"int\">", "2147483648", "between"},
                       {"datatype=\"float\">", "17.5 mag", "not a number"},
                       {"datatype=\"boolean\">", "yes", "not true or false"},
                       {"datatype=\"int\" arraysize=\"2\">", "1 x", "not an integer"}};
  for (const Wrong& wrong : all) {
    const std::string error = error_of([&] { open(one_column(wrong.field, {"1 1", wrong.cell})); });
    const std::string scalar = error_of([&] { open(one_column(wrong.field, {"1", wrong.cell})); });
    const bool is_array = std::string_view(wrong.field).find("arraysize") != std::string_view::npos;
    CHECK_THAT(is_array ? error : scalar,
               Contains("t.vot: line 6: column 'c': '") && Contains(wrong.why));
  }
  CHECK_THAT(error_of([] { open(one_column("datatype=\"int\" arraysize=\"3\">", {"1 2"})); }),
             Contains("line 5") && Contains("2 values where its arraysize says 3"));
  CHECK_THAT(error_of([] { open(one_column("datatype=\"char\" arraysize=\"2x2\">", {"aabbc"})); }),
             Contains("more than the 2 texts"));
}

TEST_CASE("rows with a wrong number of cells name the line") {
  const auto with = [](const std::string& rows) {
    return error_of([&] {
      open(
          votable("<TABLE><FIELD name=\"a\" datatype=\"int\"/><FIELD name=\"b\" "
                  "datatype=\"int\"/>" +
                  tabledata(rows) + "</TABLE>"));
    });
  };
  CHECK_THAT(with("<TR><TD>1</TD><TD>2</TD></TR>\n<TR><TD>1</TD></TR>"),
             Contains("line 6: 1 cells (TD) where the table has 2 columns"));
  CHECK_THAT(with("<TR><TD>1</TD><TD>2</TD><TD>3</TD></TR>"), Contains("line 5: more cells"));
  CHECK_THAT(with("<TR><TD encoding=\"base64\">AA==</TD><TD>2</TD></TR>"), Contains("base64"));
}

TEST_CASE("missing arrays of a huge declared size take no memory") {
  const std::string rows(2000, 'x');
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "<TR><TD/></TR>";
  CHECK_THAT(error_of([&] {
               open(
                   votable("<TABLE><FIELD name=\"c\" datatype=\"double\" "
                           "arraysize=\"100000000\"/>" +
                           tabledata(text) + "</TABLE>"));
             }),
             Contains("column 'c': too many missing cells"));
}

TEST_CASE("rows in any order, over many blocks") {
  Texts cells;
  for (int i = 0; i < 5000; ++i) cells.push_back(i % 7 == 0 ? "" : std::to_string(i));
  InputTable table = open(one_column("datatype=\"int\">", cells));
  CHECK(table.rows() == 5000);
  CHECK(rows_of(table, 1020, 3) == Rows{{"1020"}, {"1021"}, {"null"}});
  CHECK(rows_of(table, 1023, 2) == Rows{{"1023"}, {"1024"}});
  const std::vector<std::uint64_t> wanted{4999, 7, 1, 4999};
  const std::vector<std::size_t> columns{0};
  const auto read = table.read(wanted, columns);
  const auto values = read[0].values.values<std::int32_t>();
  CHECK(std::vector<std::int32_t>(values.begin(), values.end()) ==
        std::vector<std::int32_t>{4999, 0, 1, 4999});
  CHECK(read[0].values.is_null(1));
  CHECK(table.place(12) == "row 13");
}
