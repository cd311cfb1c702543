// The source: text and FITS give the same objects, and errors name file and row.
#include <catch2/catch.hpp>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>
#include <vector>

#include <qsohost/io/fits.hpp>
#include <qsohost/testing.hpp>

#include "folder.hpp"

using namespace qsohost;
using Catch::Matchers::Contains;

namespace {

using Options = std::vector<std::pair<std::string, std::string>>;

struct CsvFolder : Folder {
  std::string csv(const std::string& text) const {
    std::ofstream(path / "cat.csv") << text;
    return path / "cat.csv";
  }
};

Options with(const std::string& path, Options more = {}) {
  more.insert(more.begin(), {"path", "\"" + path + "\""});
  return more;
}

std::string refusal(const std::string& path, const Options& more = {}) {
  return error_of([&] {
    Harness h("catalog-source", with(path, more));
    h.run();
  });
}

std::vector<std::string> names(const Batch& batch) {
  std::vector<std::string> out;
  for (const Column& column : batch.objects()) out.push_back(column.name());
  return out;
}

}  // namespace

TEST_CASE(
    "a row of a FITS catalogue is found without reading those before it, of a text it is not") {
  const CsvFolder folder;
  std::vector<Column> values;
  for (const char* name : {"source_id", "ra", "dec"}) {
    values.emplace_back(ColumnInfo{name, *name == 's' ? DType::I64 : DType::F64, "", ""});
    for (const double x : {1, 2, 3}) {
      if (*name == 's')
        values.back().append(static_cast<std::int64_t>(x));
      else
        values.back().append(x);
    }
  }
  std::vector<FitsColumn> columns;
  for (const Column& column : values) columns.push_back({column.info(), &column, {}});
  write_fits_table(folder / "cat.fits", {}, columns, std::vector<std::size_t>{0, 1, 2});
  Harness h("catalog-source", with((folder / "cat.fits").string()));
  h.run();
  auto& source = static_cast<Source&>(h.stage());
  CHECK(source.seek(2) == 2);
  Batch batch(0, 2, 10);
  REQUIRE(source.read(batch));
  CHECK(batch.rows() == 1);
  CHECK(batch.id(0) == "3");
  CHECK(source.seek(9) == 3);
  Harness text("catalog-source", with(folder.csv("source_id,ra,dec\n1,1,1\n2,2,2\n")));
  text.run();
  CHECK(static_cast<Source&>(text.stage()).seek(1) == 1);
}

TEST_CASE("a CSV catalogue: types are found, order and spelling are the file's") {
  const CsvFolder folder;
  Harness h("catalog-source", with(folder.csv("RA,DEC,Name,source_id,z,n,mixed,none\n"
                                              "10.5,-3,J1,4611686018427387905,0.5,3,1,\n"
                                              "359.9,89.5,\"J 2, b\",5,,,x,\n")));
  h.run();
  const ColumnSet& objects = h.batch().objects();
  CHECK(names(h.batch()) ==
        std::vector<std::string>{"source_id", "ra", "dec", "Name", "z", "n", "mixed", "none"});
  CHECK(objects.at("source_id").values<std::int64_t>()[0] == 4611686018427387905);
  CHECK(objects.at("ra").values<double>()[1] == 359.9);
  CHECK(objects.at("dec").info().unit == "deg");
  CHECK(objects.at("Name").strings()[1] == "J 2, b");
  CHECK(objects.at("z").dtype() == DType::F64);
  CHECK(std::isnan(objects.at("z").number(1)));
  CHECK(objects.at("n").dtype() == DType::I64);
  CHECK(objects.at("n").is_null(1));
  CHECK(objects.at("mixed").dtype() == DType::String);
  CHECK(objects.at("none").dtype() == DType::F64);
  CHECK(dynamic_cast<Source&>(h.stage()).size() == 2);
}

TEST_CASE("columns can be chosen, under the name that the chain gives them") {
  const CsvFolder folder;
  const std::string file = folder.csv("objid,RAJ,DECJ,Redshift,x\nA1,1,2,0.3,7\nA2,3,4,0.4,8\n");
  Harness h("catalog-source", with(file, {{"id", "\"objid\""},
                                          {"ra", "\"RAJ\""},
                                          {"dec", "\"DECJ\""},
                                          {"columns", "[\"redshift\", \"objid\"]"}}));
  h.run();
  CHECK(names(h.batch()) == std::vector<std::string>{"source_id", "ra", "dec", "redshift"});
  CHECK(h.batch().id(1) == "A2");
}

TEST_CASE("a FITS catalogue keeps units, nulls, vectors and texts") {
  const CsvFolder folder;
  const std::filesystem::path file = folder.path / "cat.fits";
  Column id({"SDSS_NAME", DType::String}), ra({"RA", DType::F32}), dec({"DEC", DType::F64});
  Column flux({"PSFFLUX", DType::F32, "nanomaggy", "flux in ugriz", 5}), n({"N", DType::I32});
  Column epochs({"mjd", DType::F64});
  const std::vector<std::uint64_t> offsets{0, 1, 1};
  epochs.append(58000.0);
  for (int i = 0; i < 2; ++i) {
    id.append_string("J" + std::to_string(i));
    ra.append(1.5f);
    dec.append(2.5);
    for (int k = 0; k < 5; ++k) flux.append(static_cast<float>(10 * i + k));
    i == 0 ? n.append(4) : n.append_null();
  }
  std::vector<FitsColumn> columns;
  for (const Column* c : {&id, &ra, &dec, &flux, &n}) columns.push_back({c->info(), c, {}});
  columns.push_back({epochs.info(), &epochs, offsets});
  write_fits_table(file, {}, columns, std::vector<std::size_t>{0, 1});

  Harness h("catalog-source", with(file, {{"id", "\"sdss_name\""}}));
  h.run();
  CHECK(names(h.batch()) == std::vector<std::string>{"source_id", "ra", "dec", "PSFFLUX", "N"});
  const Column& got = h.batch().objects().at("PSFFLUX");
  CHECK(got.width() == 5);
  CHECK(got.info().unit == "nanomaggy");
  CHECK(got.info().description == "flux in ugriz");
  CHECK(got.values<float>()[7] == 12);
  CHECK(h.batch().objects().at("N").is_null(1));
  CHECK(h.batch().id(1) == "J1");
  REQUIRE(h.messages().size() == 1);
  CHECK_THAT(h.messages()[0], Contains("'mjd' is left out"));
  CHECK_THAT(refusal(file, {{"id", "\"SDSS_NAME\""}, {"columns", "[\"mjd\"]"}}),
             Contains("'mjd' cannot be taken"));
}

TEST_CASE("quasars that share an identifier can be taken all the same") {
  const CsvFolder folder;
  const std::string file = folder.csv("source_id,ra,dec\n1,2,3\n2,3,4\n1,5,6\n");
  CHECK_THAT(refusal(file), Contains("repeats = \"keep\""));
  Harness h("catalog-source", with(file, {{"repeats", "\"keep\""}}));
  h.run();
  REQUIRE(h.batch().rows() == 3);
  CHECK(h.batch().id(2) == "1");
  CHECK(h.batch().objects().at("ra").values<double>()[2] == 5);
  CHECK_THAT(refusal(folder.csv("source_id,ra,dec\n1,2,3\n,3,4\n"), {{"repeats", "\"keep\""}}),
             Contains("identifier is missing"));
}

TEST_CASE("what is wrong with a catalogue is said with its place") {
  const CsvFolder folder;
  const auto error = [&](const std::string& text, const Options& more = {}) {
    return refusal(folder.csv(text), more);
  };
  CHECK_THAT(error("source_id,ra,dec\n1,2,3\n2,3,4\n1,5,6\n"),
             Contains("cat.csv: line 2 and line 4 have the same identifier 1"));
  CHECK_THAT(error("source_id,ra,dec\nab,2,3\ncd,3,4\nab,5,6\n"),
             Contains("line 2 and line 4 have the same identifier ab"));
  CHECK_THAT(error("source_id,ra,dec\n1,2,3\n2,nan,4\n"),
             Contains("line 3") && Contains("not a number"));
  CHECK_THAT(error("source_id,ra,dec\n1,,3\n2,2,4\n"),
             Contains("line 2") && Contains("not a number"));
  CHECK_THAT(error("source_id,ra,dec\n1,2,90.1\n"), Contains("line 2") && Contains("dec"));
  CHECK_THAT(error("source_id,ra,dec\n1,-0.1,3\n"), Contains("ra is outside"));
  CHECK_THAT(error("source_id,ra,dec\n1,2,3\n,2,3\n"),
             Contains("line 3: the identifier is missing"));
  CHECK_THAT(error("source_id,ra,dec\n1.5e18,2,3\n"), Contains("all digits"));
  CHECK_THAT(error("source_id,ra,dec\n1,two,3\n"),
             Contains("'ra' (option 'ra')") && Contains("line 2 has 'two'"));
  CHECK_THAT(error("sourceid,ra,dec\n1,2,3\n"), Contains("did you mean 'sourceid'"));
  CHECK_THAT(error("source_id,ra,dec\n1,2\n"), Contains("cat.csv") && Contains("2"));
  CHECK_THAT(error("source_id,Ra,RA,dec\n1,2,3,4\n"), Contains("'Ra' or 'RA'"));
  CHECK_THAT(error("source_id,ra,dec,Z,z\n1,2,3,4,5\n"),
             Contains("column 'Z' of") && Contains("column 'z' of") && Contains("cat.csv; list"));
  CHECK_THAT(error("source_id,ra,dec,z\n1,2,3,4\n", {{"columns", "[\"zz\"]"}}),
             Contains("no column 'zz' (option 'columns')"));
  CHECK_THAT(refusal(folder.path / "none.fits"), Contains("no such file"));
  CHECK_THAT(error(""), Contains("cat.csv"));
}

TEST_CASE("a number out of range leaves its column numeric") {
  const CsvFolder folder;
  Harness h("catalog-source",
            with(folder.csv("source_id,ra,dec,p,q\n1,2,3,1e-400,1e400\n2,3,4,0.5,1\n")));
  h.run();
  const ColumnSet& objects = h.batch().objects();
  CHECK(objects.at("p").values<double>()[0] == 0);
  CHECK(objects.at("p").values<double>()[1] == 0.5);
  CHECK(std::isinf(objects.at("q").values<double>()[0]));
}

TEST_CASE("units, descriptions and texts are what a text table declares") {
  const CsvFolder folder;
  const std::string votable = folder.csv(
      "<VOTABLE><RESOURCE><TABLE><FIELD name=\"source_id\" datatype=\"char\"/>"
      "<FIELD name=\"ra\" datatype=\"double\" unit=\"deg\"/>"
      "<FIELD name=\"dec\" datatype=\"double\" unit=\"deg\"/>"
      "<FIELD name=\"gmag\" datatype=\"float\" unit=\"mag\"><DESCRIPTION>G, mean</DESCRIPTION>"
      "</FIELD><DATA><TABLEDATA><TR><TD>0012</TD><TD>1</TD><TD>2</TD><TD>17</TD></TR></TABLEDATA>"
      "</DATA></TABLE></RESOURCE></VOTABLE>\n");
  Harness h("catalog-source", with(votable));
  h.run();
  CHECK(h.batch().id(0) == "0012");
  const ColumnInfo& info = h.batch().objects().at("gmag").info();
  CHECK(info.unit == "mag");
  CHECK(info.description == "G, mean");
}

TEST_CASE("positions are in the unit that their column declares, in text and FITS alike") {
  const CsvFolder folder;
  const auto ipac = [&](const std::string& unit) {
    return folder.csv("|source_id|ra     |dec    |gmag|\n|int      |double |double |real|\n|" +
                      std::string(9, ' ') + "|" + unit + "|" + unit +
                      "|mag |\n 12        0.5     0.25    17   \n");
  };
  const auto fits = [&](const std::string& unit) {
    Column id({"source_id", DType::I64}), ra({"ra", DType::F64, unit});
    Column dec({"dec", DType::F64, unit}), gmag({"gmag", DType::F64, "mag"});
    id.append(std::int64_t{12});
    ra.append(0.5);
    dec.append(0.25);
    gmag.append(17.0);
    std::vector<FitsColumn> columns;
    for (const Column* c : {&id, &ra, &dec, &gmag}) columns.push_back({c->info(), c, {}});
    write_fits_table(folder.path / "cat.fits", {}, columns, std::vector<std::size_t>{0});
    return (folder.path / "cat.fits").string();
  };
  for (const std::string& file : {ipac("rad    "), fits("rad")}) {
    INFO(file);
    Harness h("catalog-source", with(file));
    h.run();
    const ColumnSet& objects = h.batch().objects();
    CHECK(objects.at("ra").number(0) == Approx(28.64788975654116).epsilon(1e-15));
    CHECK(objects.at("dec").number(0) == Approx(14.32394487827058).epsilon(1e-15));
    CHECK(objects.at("ra").info().unit == "deg");
    CHECK(objects.at("gmag").info().unit == "mag");
  }
  for (const std::string& file : {ipac("pixel  "), fits("pixel")}) {
    CHECK_THAT(refusal(file), Contains("column 'ra' (option 'ra') has the unit 'pixel'"));
  }
}

TEST_CASE("arrays are neither positions nor identifiers") {
  const CsvFolder folder;
  const auto file = [&](const char* array_column) {
    Column values({"", DType::F64});
    values.append(1.0);
    Column ids({"", DType::I64});
    ids.append(std::int64_t{7});
    const std::vector<std::uint64_t> offsets{0, 1};
    std::vector<FitsColumn> columns;
    for (const std::string name : {"source_id", "ra", "dec"}) {
      const Column* from = name == "source_id" ? &ids : &values;
      FitsColumn column{{name, from->dtype()}, from, {}};
      if (name == array_column) column.offsets = offsets;
      columns.push_back(column);
    }
    write_fits_table(folder.path / "cat.fits", {}, columns, std::vector<std::size_t>{0});
    return (folder.path / "cat.fits").string();
  };
  CHECK_THAT(refusal(file("dec")), Contains("'dec' (option 'dec')") && Contains("arrays"));
  CHECK_THAT(refusal(file("source_id")), Contains("'source_id' (option 'id') holds several"));
}

TEST_CASE("a column that is there twice, or has the identifier's name, is refused") {
  const CsvFolder folder;
  CHECK_THAT(refusal(folder.csv("source_id,ra,dec,ra\n1,2,3,4\n"), {{"columns", "[]"}}),
             Contains("column 'ra' (option 'ra') is there 2 times"));
  const std::string file = folder.csv("name,ra,dec,source_id\nA,2,3,4\n");
  CHECK_THAT(refusal(file, {{"id", "\"name\""}}),
             Contains("column 'name' of") && Contains("column 'source_id' of"));
  CHECK(refusal(file, {{"id", "\"name\""}, {"columns", "[]"}}) == "(no error)");
}

TEST_CASE("rows of FITS tables are counted from 1") {
  const CsvFolder folder;
  const std::filesystem::path file = folder.path / "cat.fits";
  Column id({"source_id", DType::I64}), ra({"ra", DType::F64}), dec({"dec", DType::F64});
  for (int i = 0; i < 10000; ++i) {
    id.append(std::int64_t{i == 9999 ? 4 : 20000 - i});
    ra.append(1.0);
    dec.append(2.0);
  }
  id.values<std::int64_t>()[2] = 4;
  std::vector<FitsColumn> columns;
  for (const Column* c : {&id, &ra, &dec}) columns.push_back({c->info(), c, {}});
  std::vector<std::size_t> rows(10000);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  write_fits_table(file, {}, columns, rows);
  CHECK_THAT(refusal(file), Contains("row 3 and row 10000 have the same identifier 4"));
}

TEST_CASE("before it is opened the source says what it will add") {
  Harness h("catalog-source", with("x.csv", {{"columns", "[\"z\"]"}}));
  Ports ports;
  h.stage().declare({}, ports);
  REQUIRE(ports.added().size() == 4);
  CHECK(ports.added()[3].name == "z");
  CHECK_FALSE(ports.added()[3].dtype);
  CHECK_FALSE(ports.has_unknown());
  Harness all("catalog-source", with("x.csv"));
  Ports open;
  all.stage().declare({}, open);
  CHECK(open.has_unknown());
}

TEST_CASE("a real catalogue of quasars", "[.data]") {
  const char* data = std::getenv("QSO_SHARED_DATA");
  const std::filesystem::path file =
      std::filesystem::path(data == nullptr ? "" : data) / "quasars/quasars_catalog.fits";
  if (!std::filesystem::exists(file)) {
    WARN("skipped: no quasars/quasars_catalog.fits under QSO_SHARED_DATA");
    return;
  }
  Harness h("catalog-source", with(file));
  h.run();
  CHECK(h.batch().rows() == 98);
  CHECK(names(h.batch()) == std::vector<std::string>{"source_id", "ra", "dec", "z"});
}
