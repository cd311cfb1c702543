// VOTable files: which of their TABLEs, encodings, what the archive says, times, and cut files.
#include "votable.hpp"

using namespace qsohost;
using Catch::Matchers::Contains;
using Texts = std::vector<std::string>;

namespace {

std::string table(const std::string& attributes, const std::string& column, const Texts& cells) {
  return fmt::format(
      "<TABLE {}><FIELD name=\"{}\" datatype=\"int\"/>{}</TABLE>\n", attributes, column,
      tabledata(fmt::format("<TR><TD>{}</TD></TR>", fmt::join(cells, "</TD></TR>\n<TR><TD>"))));
}

const std::string kThree = votable(table("name=\"g\"", "mjd_g", {"1"}) + "<RESOURCE>" +
                                   table("name=\"R\" ID=\"red\"", "mjd_r", {"2", "3"}) +
                                   "</RESOURCE>" + table("", "other", {"4"}));

std::string error_in(const std::string& text, std::string_view hdu = "") {
  return error_of([&] { open(text, hdu); });
}

}  // namespace

TEST_CASE("of several TABLEs the first is read, and the others are named") {
  InputTable first = open(kThree);
  CHECK(rows_of(first, 0, 1) == Rows{{"1"}});
  const auto others = first.others();
  REQUIRE(others.size() == 2);
  CHECK(others[0].name == "R");
  CHECK(others[0].rows == 2);
  CHECK(others[0].columns == Texts{"mjd_r"});
  CHECK(others[1].name == "3");
  CHECK_THAT(first.warnings().at(0), Contains("3 tables") && Contains("'R' (2 rows)"));
  CHECK(first.warnings().size() == 1);
}

TEST_CASE("a TABLE is chosen by name, ID or number") {
  for (const char* hdu : {"R", "r", "RED", "2", " 2 "}) {
    const InputTable second = open(kThree, hdu);
    CHECK(second.column_names() == Texts{"mjd_r"});
    CHECK(second.rows() == 2);
    CHECK(second.others().empty());
  }
  CHECK(open(kThree, "3").column_names() == Texts{"other"});
  for (const char* hdu : {"b", "0", "4"}) {
    CHECK_THAT(error_in(kThree, hdu), Contains(fmt::format("no TABLE '{}'", hdu)) &&
                                          Contains("TABLE 1 'g', TABLE 2 'R', TABLE 3"));
  }
  CHECK_THAT(
      error_in(votable(table("name=\"a\"", "x", {"1"}) + table("ID=\"A\"", "y", {"2"})), "a"),
      Contains("TABLE 1 'a' and TABLE 2 'A'"));
}

TEST_CASE("TABLEs that are not asked for may be unreadable") {
  const std::string fits =
      "<TABLE name=\"f\"><FIELD name=\"a\" datatype=\"int\"/><DATA><FITS><STREAM "
      "href=\"x\"/></FITS></DATA></TABLE>";
  const std::string counted =
      "<TABLE name=\"b\"><FIELD name=\"a\" datatype=\"short\"/><FIELD name=\"t\" datatype=\"char\" "
      "arraysize=\"*\"/><DATA><BINARY><STREAM encoding=\"base64\">AAEAAAAAAAIAAAABeA==</STREAM>"
      "</BINARY></DATA></TABLE>";
  const std::string elsewhere =
      "<TABLE><FIELD name=\"a\" datatype=\"short\"/><DATA><BINARY><STREAM href=\"there\"/></BINARY>"
      "</DATA></TABLE>";
  const std::string text =
      votable(table("", "x", {"1"}) + fits + counted +
              "<TABLE ref=\"b\"><DATA><TABLEDATA/></DATA></TABLE>" + elsewhere);
  const auto others = open(text).others();
  REQUIRE(others.size() == 3);
  CHECK(others[1].rows == 2);
  CHECK(open(text, "1").rows() == 1);
  CHECK_THAT(error_in(text, "f"), Contains("FITS file"));
  CHECK_THAT(error_in(text, "5"), Contains("elsewhere: there"));
  CHECK_THAT(error_in(text, "4"), Contains("TABLE 4") && Contains("ref=\"b\""));
}

TEST_CASE("a TABLE without data is read only if there is no other") {
  const std::string empty = "<TABLE name=\"meta\"><FIELD name=\"m\" datatype=\"int\"/></TABLE>";
  CHECK(open(votable(empty)).rows() == 0);
  CHECK(open(votable(empty + table("", "x", {"1"}))).column_names() == Texts{"x"});
  CHECK(open(votable(empty + table("", "x", {"1"}))).others().empty());
  CHECK(open(votable(empty + table("", "x", {"1"})), "meta").column_names() == Texts{"m"});
  CHECK_THAT(error_in(votable("")), Contains("has no TABLE"));
  CHECK_THAT(error_in(votable("<TABLE><DATA><TABLEDATA/></DATA></TABLE>")),
             Contains("no TABLE with FIELDs"));
}

TEST_CASE("the number of rows that the TABLE promises is checked") {
  CHECK(open(votable(table("nrows=\"2\"", "x", {"1", "2"}))).rows() == 2);
  CHECK_THAT(error_in(votable(table("nrows=\"3\"", "x", {"1", "2"}))),
             Contains("line 7") && Contains("promises 3 rows") && Contains("has 2"));
}

TEST_CASE("element names with a prefix, and with none") {
  CHECK(rows_of(open("<v:VOTABLE xmlns:v=\"x\"><v:RESOURCE><v:TABLE><v:FIELD name=\"a\" "
                     "datatype=\"int\"/><v:DATA><v:TABLEDATA><v:TR><v:TD>1</v:TD></v:TR>"
                     "</v:TABLEDATA></v:DATA></v:TABLE></v:RESOURCE></v:VOTABLE>")) == Rows{{"1"}});
  CHECK_THAT(error_in("<VOTABLES/>"), Contains("no VOTable") && Contains("'VOTABLES'"));
}

TEST_CASE("texts come out as UTF-8, whatever the encoding of the file") {
  const auto in = [](const std::string& encoding, const std::string& word) {
    return "<?xml version=\"1.0\" encoding=\"" + encoding +
           "\"?>\n<VOTABLE><TABLE><FIELD name=\"c\" datatype=\"char\" arraysize=\"*\"/>" +
           tabledata("<TR><TD>" + word + "</TD></TR>") + "</TABLE></VOTABLE>";
  };
  CHECK(column_of(in("ISO-8859-1", "M\xFCller")) == Texts{"'M\xC3\xBCller'"});
  CHECK(column_of(in("latin1", "M\xFCller")) == Texts{"'M\xC3\xBCller'"});
  CHECK(column_of(in("ISO-8859-15", "\xA4")) == Texts{"'\xE2\x82\xAC'"});
  CHECK(column_of(in("windows-1252", "\x80\x96\xFC")) ==
        Texts{"'\xE2\x82\xAC\xE2\x80\x93\xC3\xBC'"});
  CHECK(column_of(in("US-ASCII", "Mueller")) == Texts{"'Mueller'"});
  CHECK(column_of("\xEF\xBB\xBF" + in("UTF-8", "M\xC3\xBCller")) == Texts{"'M\xC3\xBCller'"});
  std::string wide = "\xFE\xFF";
  for (const char c : in("UTF-16", "ab&#252;")) wide += std::string(1, '\0') + c;
  CHECK(column_of(wide) == Texts{"'ab\xC3\xBC'"});
  CHECK_THAT(error_in(in("UTF-8", "M\xFCller")), Contains("line 3") && Contains("does not fit"));
  CHECK_THAT(error_in(in("EBCDIC-9", "a")), Contains("line 1") && Contains("UTF-8"));
}

TEST_CASE("QUERY_STATUS: the archive's own words") {
  CHECK_THAT(error_in(votable("<INFO name=\"QUERY_STATUS\" value=\"ERROR\">Too many\n "
                              "connections</INFO>")),
             Contains("line 5: the archive answered QUERY_STATUS ERROR, so this is no table; ask "
                      "it again: Too many connections"));
  const InputTable cut = open(
      votable(table("", "x", {"1", "2"}) + "<INFO name=\"QUERY_STATUS\" value=\"OVERFLOW\"/>"));
  CHECK(cut.rows() == 2);
  CHECK_THAT(cut.warnings().at(0), Contains("cut the table at 2 rows"));
  CHECK(open(votable("<INFO name=\"QUERY_STATUS\" value=\"OK\"/>" + table("", "x", {"1"})))
            .warnings()
            .empty());
}

TEST_CASE("PARAMs are keywords") {
  const InputTable with = open(
      votable("<PARAM name=\"source_id\" datatype=\"long\" value=\"42\"/><PARAM name=\"band\" "
              "datatype=\"char\" value=\"of the file\"/><TABLE><PARAM name=\"Band\" value=\"G\"/>"
              "<FIELD name=\"x\" datatype=\"int\"/></TABLE>"));
  CHECK(with.keyword("source_id") == "42");
  CHECK(with.keyword("band") == "G");
  CHECK_FALSE(with.keyword("none"));
  CHECK(with.column_names() == Texts{"x"});
}

TEST_CASE("the time system of the columns") {
  const auto with = [](const std::string& systems, const std::string& refs) {
    return open(votable(systems + "<TABLE><FIELD name=\"t\" datatype=\"double\" " + refs +
                        "/><FIELD name=\"u\" datatype=\"double\" ref=\"gaia\"/></TABLE>"))
        .time_system();
  };
  const std::string gaia =
      "<TIMESYS ID=\"gaia\" refposition=\"BARYCENTER\" timeorigin=\"2455197.5\" "
      "timescale=\"TCB\"/>";
  const std::string mjd =
      "<TIMESYS ID=\"mjd\" refposition=\"TOPOCENTER\" timeorigin=\"MJD-origin\" "
      "timescale=\"UTC\"/>";
  CHECK(with(gaia, "") == kGaiaTime);
  CHECK(with(gaia + mjd, "ref=\"gaia\"") == kGaiaTime);
  CHECK_FALSE(with(gaia + mjd, "ref=\"mjd\""));
  CHECK_FALSE(with("<TIMESYS ID=\"gaia\" timescale=\"UTC\"/>", ""));
  const auto only = open(votable(mjd + "<TABLE><FIELD name=\"t\" datatype=\"double\"/></TABLE>"));
  CHECK(only.time_system() == kMjdUtc);
  const auto jd =
      open(votable("<TIMESYS ID=\"j\" refposition=\"BARYCENTER\" "
                   "timeorigin=\"JD-origin\" timescale=\"TDB\"/>"
                   "<TABLE><FIELD name=\"t\" datatype=\"double\"/></TABLE>"));
  CHECK(jd.time_system() == time_system_of("BJD TDB"));
}

TEST_CASE("a VOTable cut anywhere is refused with the line") {
  const std::string binary =
      "<TABLE name=\"b\"><FIELD name=\"a\" datatype=\"short\"/><DATA><BINARY2><STREAM "
      "encoding=\"base64\">\nAAABAAAC\n</STREAM></BINARY2></DATA></TABLE>";
  for (const std::string& text : {votable(table("", "x", {"1", "2"})), votable(binary)}) {
    for (std::size_t n = 1; n + 1 < text.size(); ++n) {
      INFO(n);
      CHECK_THAT(error_in(text.substr(0, n)),
                 Contains("(cut transfer)") && Contains("t.vot: line "));
    }
    CHECK(open(text.substr(0, text.size() - 1)).rows() == 2);
  }
  CHECK_THAT(error_in(kThree + kThree), Contains("follows the </VOTABLE>"));
  CHECK_THAT(error_in(votable("<TABLE>\n<FIELD></TABLE>")), Contains("line 5: not well-formed"));
}

TEST_CASE("entities: external ones are not read, and bombs do not explode") {
  const auto with = [](const std::string& entities, const std::string& cell) {
    return "<?xml version=\"1.0\"?>\n<!DOCTYPE VOTABLE [" + entities + "]>\n<VOTABLE><TABLE>" +
           "<FIELD name=\"c\" datatype=\"char\" arraysize=\"*\"/>" +
           tabledata("<TR><TD>" + cell + "</TD></TR>") + "</TABLE></VOTABLE>";
  };
  CHECK(column_of(with("<!ENTITY w \"words\">", "&w;")) == Texts{"'words'"});
  CHECK_THAT(error_in(with("<!ENTITY w SYSTEM \"/etc/passwd\">", "&w;")),
             Contains("line 4: the entity '/etc/passwd' is outside of the file"));
  CHECK_THAT(error_in(with("<!ENTITY % all SYSTEM \"all.ent\"> %all;", "&w;")),
             Contains("line 4: the entity 'w' is outside of the file"));
  std::string bomb = "<!ENTITY a0 \"0123456789\">";
  for (int i = 1; i < 10; ++i) {
    bomb += fmt::format("<!ENTITY a{} \"", i);
    for (int k = 0; k < 10; ++k) bomb += fmt::format("&a{};", i - 1);
    bomb += "\">";
  }
  CHECK_THAT(error_in(with(bomb, "&a9;")), Contains("amplification"));
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  CHECK_THAT(error_in(with("", deep)), Contains("too many elements inside each other"));
}
