#include "table.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <iterator>

using namespace qsohost;
using Catch::Matchers::Contains;

namespace {

std::string votable(const std::string& inside) {
  return "<?xml version=\"1.0\"?>\n<VOTABLE version=\"1.3\" "
         "xmlns=\"http://www.ivoa.net/xml/VOTable/v1.3\">\n<RESOURCE>\n" +
         inside + "</RESOURCE>\n</VOTABLE>\n";
}

const std::string kFields =
    "<TABLE><FIELD name=\"oid\" datatype=\"long\"/>\n"
    "<FIELD name=\"mag\" datatype=\"float\"><VALUES null=\"-99\"/></FIELD>\n";

}  // namespace

TEST_CASE("a VOTable with TABLEDATA") {
  const std::string text = votable(
      kFields +
      "<DATA><TABLEDATA>\n<TR><TD>1</TD><TD> 17.5 </TD></TR>\n"
      "<TR><TD>2&lt;</TD><TD>-99</TD></TR>\n<TR><TD/><TD/></TR></TABLEDATA></DATA></TABLE>");
  TableReader reader(text);
  CHECK(reader.format() == TableFormat::VoTable);
  CHECK(reader.columns() == std::vector<std::string>{"oid", "mag"});
  CHECK(read_rows(text) == Rows{{"1", "17.5"}, {"2<", ""}, {"", ""}});
  std::vector<std::string_view> cells;
  REQUIRE(reader.next(cells));
  CHECK(reader.line() == 7);
  REQUIRE(reader.next(cells));
  CHECK(reader.line() == 8);
}

TEST_CASE("the FIELDs of a VOTable give units, descriptions, and which are texts") {
  const std::string text = votable(
      "<TABLE><FIELD name=\"ra\" datatype=\"double\" unit=\"deg\">"
      "<DESCRIPTION>\n  right ascension,\n  at 2016 </DESCRIPTION></FIELD>\n"
      "<FIELD name=\"name\" datatype=\"char\" arraysize=\"*\"/></TABLE>");
  const std::vector<TableField> fields = TableReader(text).fields();
  REQUIRE(fields.size() == 2);
  CHECK(fields[0].unit == "deg");
  CHECK(fields[0].description == "right ascension, at 2016");
  CHECK_FALSE(fields[0].is_text);
  CHECK(fields[1].unit.empty());
  CHECK(fields[1].is_text);
}

TEST_CASE("a VOTable without rows") {
  CHECK(read_rows(votable(kFields + "<DATA><TABLEDATA/></DATA></TABLE>")).empty());
  CHECK(read_rows(votable(kFields + "</TABLE>")).empty());
}

TEST_CASE("element names with a prefix") {
  const char* text =
      "<v:VOTABLE xmlns:v=\"x\"><v:RESOURCE><v:TABLE><v:FIELD name=\"a\"/><v:DATA><v:TABLEDATA>"
      "<v:TR><v:TD>1</v:TD></v:TR></v:TABLEDATA></v:DATA></v:TABLE></v:RESOURCE></v:VOTABLE>";
  CHECK(read_rows(text) == Rows{{"1"}});
}

TEST_CASE("QUERY_STATUS ERROR comes with the archive's words") {
  const std::string text =
      votable("<INFO name=\"QUERY_STATUS\" value=\"ERROR\">Too many\n connections</INFO>\n");
  CHECK_THROWS_AS(TableReader(text), TryAgain);
  CHECK_THROWS_AS(TableReader(text, TableOrigin::User), BadObject);
  CHECK_THROWS_WITH(TableReader(text),
                    Contains("QUERY_STATUS ERROR") && Contains("Too many connections"));
  // More rows than were sent: what is there is not all.
  CHECK_THROWS_AS(
      TableReader(votable(kFields + "<DATA><TABLEDATA/></DATA></TABLE>"
                                    "<INFO name=\"QUERY_STATUS\" value=\"OVERFLOW\"/>")),
      TryAgain);
  CHECK_NOTHROW(
      TableReader(votable("<INFO name=\"QUERY_STATUS\" value=\"OK\"/>" + kFields + "</TABLE>")));
}

TEST_CASE("a VOTable cut anywhere is asked for again") {
  const std::string text = votable(
      kFields + "<DATA><TABLEDATA><TR><TD>1</TD><TD>17.5</TD></TR></TABLEDATA></DATA></TABLE>");
  // Before the word VOTABLE has come it is some XML page; a lone "\n" more or less does not matter.
  for (std::size_t n = 1; n + 1 < text.size(); ++n) {
    INFO(n);
    CHECK_THROWS_AS(read_rows(text.substr(0, n)), TryAgain);
  }
  CHECK(read_rows(text.substr(0, text.size() - 1)).size() == 1);
}

TEST_CASE("malformed VOTables name the line") {
  const std::string rows = "<DATA><TABLEDATA>\n<TR><TD>1</TD></TR></TABLEDATA></DATA></TABLE>";
  CHECK_THROWS_AS(read_rows(votable(kFields + rows)), BadObject);
  CHECK_THROWS_WITH(read_rows(votable(kFields + rows)), Contains("line 7") && Contains("1 cells"));
  CHECK_THROWS_WITH(read_rows(votable("<TABLE>\n<FIELD></TABLE>")), Contains("line 5"));
  CHECK_THROWS_WITH(read_rows(votable(kFields + "<DATA><BINARY2/></DATA></TABLE>")),
                    Contains("BINARY2") && Contains("TABLEDATA"));
  const std::string table = kFields + "<DATA><TABLEDATA/></DATA></TABLE>";
  CHECK_THROWS_WITH(read_rows(votable(table + table)), Contains("several TABLEs"));
  CHECK_THROWS_AS(read_rows(votable("")), TryAgain);
}

TEST_CASE("a VOTable of the ZTF archive", "[.data]") {
  const char* data = std::getenv("QSO_SHARED_DATA");
  std::ifstream in(std::string(data == nullptr ? "" : data) + "/ztf/two_oids.vot");
  if (!in) {
    WARN("skipped: no ztf/two_oids.vot in QSO_SHARED_DATA");
    return;
  }
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  const Rows rows = read_rows(text);
  CHECK(rows.size() == 297);
  CHECK(rows.front().size() == 24);
  CHECK(rows.front()[0] == "686103400034440");
  CHECK(rows.back()[22] == "2.01399994");
}

// pugixml knows XML's own entities alone, and would leave "&a;" in the cell.
TEST_CASE("entities are refused, by line and column") {
  const auto with = [](const std::string& before, const std::string& cell) {
    return before + votable(kFields + "<DATA><TABLEDATA>\n<TR><TD>" + cell +
                            "</TD><TD>1</TD></TR></TABLEDATA></DATA></TABLE>");
  };
  const auto refused = [](const std::string& text, const char* why) {
    CHECK_THROWS_AS(TableReader(text), BadObject);
    CHECK_THROWS_WITH(TableReader(text), Contains(why));
  };
  refused(with("<!DOCTYPE VOTABLE [\n  <!ENTITY a \"17\">]>", "&a;"),
          "line 2, column 3: the declaration of an entity");
  refused(with("<!DOCTYPE VOTABLE [<!ENTITY a SYSTEM \"/etc/passwd\">]>", "&a;"),
          "the declaration of an entity");
  refused(with("", "&nbsp;"), "column 9: the entity '&nbsp;' is none of XML's own");
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  refused(with("", deep), "too many elements inside each other");

  for (const char* good : {"&lt;&gt;&amp;&quot;&apos;", "&#38;&#x26;", "a&b=c;", "<![CDATA[&a;]]>",
                           "<!-- &a; <!ENTITY -->x", "&", "<?pi &a;?>x"}) {
    INFO(good);
    CHECK_NOTHROW(TableReader(with("", good)));
  }
}
