// Files become batches; mismatches are reported with file, row and column.
#include <fmt/format.h>
#include <catch2/catch.hpp>

#include <cmath>
#include <fstream>

#include <string>
#include <vector>

#include <qsohost/io/fits_epochs.hpp>
#include <qsohost/testing.hpp>

#include "folder.hpp"
#include "light_curve_files.hpp"
#include "rename_column.hpp"
#include "source_runs.hpp"

using namespace qsohost;
using Catch::Matchers::Contains;

namespace {

const std::vector<std::int64_t> kIds{11, 12, 13};
const Lengths kLengths{2, 0, 3};

TestTable ztf(const std::string& bands) {
  TestTable table(kIds);
  table.add<double>("ra", {10, 20, 30}).add<double>("dec", {1, 2, 3});
  for (const char band : bands) table.add_ztf(std::string(1, band), kLengths);
  return table;
}

TestTable gaia() {
  TestTable table(kIds);
  const auto add = [&](const std::string& name) { table.add_arrays<double>(name, kLengths); };
  for (const char* name : {"time", "mag", "flux", "flux_error"}) {
    add(std::string("g_transit_") + name);
  }
  for (const std::string band : {"bp_", "rp_"}) {
    for (const char* name : {"obs_time", "mag", "flux", "flux_error"}) add(band + name);
  }
  for (const char* name : {"photometry_flag_noisy_data", "photometry_flag_sm_unavailable",
                           "photometry_flag_bp_unavailable", "photometry_flag_rp_unavailable",
                           "photometry_flag_sm_reject", "variability_flag_g_reject",
                           "variability_flag_bp_reject", "variability_flag_rp_reject"}) {
    table.add_arrays<bool>(name, kLengths);
  }
  return table;
}

std::string bands(const std::string& mag = "m") {
  return fmt::format(
      R"([{{ group = "ps1.g", time = "t", mag = "{}", mag_err = "e", columns = ["airmass_g"] }}])",
      mag);
}

TestTable other_survey() {
  TestTable table(kIds);
  for (const char* name : {"t", "m", "e", "airmass_g"}) table.add_arrays<double>(name, kLengths);
  return table;
}

}  // namespace

TEST_CASE("products with 27 and 19 columns become the light curves of their bands") {
  const Folder folder;
  for (const std::string bands : {"gri", "gr"}) {
    Harness h("lightcurve-source", reading({ztf(bands).write(folder / "ztf.fits")}));
    h.run();
    REQUIRE(h.batch().groups().size() == bands.size());
    CHECK(h.batch().rows() == 3);
    CHECK(numbers(h.batch().objects().at("dec")) == std::vector<double>{1, 2, 3});
    for (const char band : bands) {
      const Group& group = h.batch().group(std::string("ztf.") + band);
      CHECK(group.info().mag_err == "magerr");
      CHECK(group.slice(1).count == 0);
      CHECK(numbers(group.at("mjd")) == std::vector<double>{0, 1, 200, 201, 202});
      CHECK(numbers(group.at("catflags")) == numbers(group.at("mjd")));
      CHECK(numbers(group.at("epoch_id")) == std::vector<double>{0, 1, 0, 1, 2});
    }
  }
}

TEST_CASE("a row is found without reading those before it") {
  const Folder folder;
  // Reading row 1 fails: its arrays have different lengths.
  TestTable table(kIds);
  for (const char* name : {"mjd_g", "mag_g"}) table.add_arrays<double>(name, kLengths);
  table.add_arrays<double>("magerr_g", {3, 0, 3});
  Harness h("lightcurve-source", reading({table.write(folder / "ztf.fits")}));
  CHECK_THROWS_WITH(h.run(), Contains("row 1"));
  auto& source = static_cast<Source&>(h.stage());
  CHECK(source.seek(1) == 1);
  Batch batch(0, 1, 10);
  batch.objects().add({"source_id", DType::I64, "", ""});
  Group& group = batch.add_group({"ztf.g", "ztf", "g", "mjd", "mag", "magerr", kMjdUtc});
  for (const char* name : {"mjd", "mag", "magerr"}) group.add({name, DType::F64, "", ""});
  group.add({"epoch_id", DType::I64, "", ""});
  REQUIRE(source.read(batch));
  CHECK(numbers(batch.objects().at("source_id")) == std::vector<double>{12, 13});
  CHECK(numbers(batch.group("ztf.g").at("mjd")) == std::vector<double>{200, 201, 202});
  CHECK(source.seek(7) == 3);
  Batch rest(0, 3, 10);
  CHECK_FALSE(source.read(rest));
}

TEST_CASE("the time system of a file is that of its header, or the option's") {
  const Folder folder;
  const Column time = [] {
    Column column({"mjd_g", DType::F64, "d", ""});
    column.append(1.0);
    return column;
  }();
  const std::uint64_t offsets[] = {0, 1};
  Column id({"source_id", DType::I64, "", ""});
  id.append(std::int64_t{7});
  const auto write = [&](const FitsHeader& header) {
    std::vector<FitsColumn> columns{{id.info(), &id, {}}};
    for (const char* name : {"mjd_g", "mag_g", "magerr_g"}) {
      columns.push_back({{name, DType::F64, "", ""}, &time, offsets});
    }
    const std::size_t row = 0;
    write_fits_table(folder / "times.fits", header, columns, std::span(&row, 1));
    return (folder / "times.fits").string();
  };
  const auto system_of = [&](const std::string& file, const Options& more = {}) {
    Harness h("lightcurve-source", reading({file}, more));
    h.run();
    return name_of(h.batch().groups().front().info().time_system);
  };
  CHECK(system_of(write({})) == "MJD UTC");  // like ZTF's
  const FitsHeader tdb{
      "", {{"TIMESYS", "TDB", ""}, {"TREFPOS", "BARYCENTER", ""}, {"MJDREF", "", "", 50000.0}}, {}};
  CHECK(system_of(write(tdb)) == "BJD TDB - 2450000.5");
  CHECK(system_of(write({"", {{"TIMESYS", "GPS", ""}}, {}})) == "MJD UTC");
  CHECK(system_of(write({"", {{"TIMESYS", "UTC", ""}, {"MJDREF", "odd", ""}}, {}})) == "MJD UTC");
  const std::string band = R"([{ group = "ps1.g", time = "mjd_g", mag = "mag_g", )"
                           R"(mag_err = "magerr_g", time_system = "{}" }])";
  const auto with = [&](const std::string& words) {
    std::string text = band;
    return Options{{"band", text.replace(text.find("{}"), 2, words)}};
  };
  CHECK(system_of(write(tdb), with("")) == "BJD TDB - 2450000.5");
  CHECK(system_of(write(tdb), with("HJD UTC - 2450000")) == "HJD UTC - 2450000");
  CHECK_THAT(refusal({write(tdb)}, with("sidereal")), Contains("time_system of 'ps1.g'"));
}

TEST_CASE("Gaia's 21 columns become three bands, with mag_err from the fluxes") {
  const Folder folder;
  Harness h("lightcurve-source", reading({gaia().write(folder / "gaia.fits")}));
  h.run();
  REQUIRE(h.batch().groups().size() == 3);
  for (const char* name : {"gaia.g", "gaia.bp", "gaia.rp"}) {
    const Group& group = h.batch().group(name);
    CHECK(group.info().time_system == kGaiaTime);
    const auto errors = numbers(group.at(group.info().mag_err));
    CHECK(errors.back() == Approx(2.5 / std::log(10.0)));  // flux and its error are equal here
  }
}

TEST_CASE("aligned files are read together, the first one's object columns count") {
  const Folder folder;
  const std::string a = ztf("g").write(folder / "a.fits");
  const std::string b = gaia().add<double>("ra", {7, 8, 9}).write(folder / "b.fits");
  Harness h("lightcurve-source", reading({a, b}));
  h.run();
  CHECK(h.batch().groups().size() == 4);
  CHECK(numbers(h.batch().objects().at("ra")) == std::vector<double>{10, 20, 30});
}

TEST_CASE("misaligned files are refused with the first row that differs") {
  const Folder folder;
  const std::string a = ztf("g").write(folder / "a.fits");
  const auto other = [&](const std::vector<std::int64_t>& ids, const Lengths& lengths) {
    return TestTable(ids).add_ztf("r", lengths).write(folder / "b.fits");
  };
  CHECK_THAT(refusal({a, other({11, 14, 13}, kLengths)}),
             Contains("b.fits: row 2 is object 14") && Contains("a.fits has 12 there"));
  CHECK_THAT(refusal({a, other({11, 12}, {1, 1})}),
             Contains("b.fits has 2 rows") && Contains("a.fits has 3"));
  CHECK_THAT(refusal({other({11, 12, 11}, kLengths)}),
             Contains("row 1 and row 3 have the same identifier 11"));
  CHECK_THAT(refusal({a, a}), Contains("both have column"));
}

TEST_CASE("arrays of one light curve must have the same lengths") {
  const Folder folder;
  TestTable table(kIds);
  table.add_arrays<double>("mjd_g", kLengths).add_arrays<float>("mag_g", {2, 0, 2});
  table.add_arrays<float>("magerr_g", kLengths);
  CHECK_THAT(refusal({table.write(folder / "a.fits")}),
             Contains("a.fits: row 3: column 'mag_g' has 2 epochs, but 'mjd_g' has 3"));
}

TEST_CASE("light curves of other surveys are named in [[stage.band]]") {
  const Folder folder;
  const std::string file = other_survey().write(folder / "ps1.fits");
  CHECK_THAT(refusal({file}), Contains("no light curve is recognised"));
  Harness h("lightcurve-source", reading({file}, {{"band", bands()}}));
  h.run();
  const Group& group = h.batch().group("ps1.g");
  CHECK(group.info().time == "t");
  CHECK(group.info().mag == "m");
  CHECK(numbers(group.at("airmass")) == std::vector<double>{0, 1, 200, 201, 202});
  CHECK_THAT(refusal({file}, {{"band", bands("mm")}}),
             Contains("no column 'mm' for light curve 'ps1.g'"));
  Harness upper("lightcurve-source", reading({file}, {{"band", bands("M")}}));
  upper.run();
  CHECK(upper.batch().group("ps1.g").info().mag == "M");
}

TEST_CASE("what a header says of columns counts before their names") {
  const Folder folder;
  TestTable table(kIds);
  for (const char* name : {"magerr_g", "mjd_g", "mag_g", "chi_g", "mjd_r"}) {
    table.add_arrays<double>(name, kLengths);
  }
  const FitsEpochs epochs{{{.name = "own.v",
                            .survey = "own",
                            .band = "v",
                            .time = "t",
                            .mag = "m",
                            .mag_err = "e",
                            .time_system = kMjdTai,
                            .has_position = false}},
                          {{"mag_g", "own.v", "m"},
                           {"mjd_g", "own.v", "t"},
                           {"magerr_g", "own.v", "e"},
                           {"chi_g", "own.v", "chi", false},
                           {"gone", "own.v", "more"}}};
  const std::string file = table.write(folder / "a.fits", {"", epoch_keywords(epochs), {}});
  Harness h("lightcurve-source", reading({file}));
  h.run();
  REQUIRE(h.batch().groups().size() == 1);
  const Group& group = h.batch().group("own.v");
  CHECK(group.info().survey == "own");
  CHECK(group.info().mag_err == "e");
  CHECK(group.info().time_system == kMjdTai);
  CHECK_FALSE(group.info().has_position);
  CHECK(numbers(group.at("chi")) == std::vector<double>{0, 1, 200, 201, 202});
  CHECK(group.find("more") == nullptr);
  REQUIRE(h.messages().size() == 1);  // ztf.r lacks columns
  CHECK_THAT(h.messages()[0], Contains("column 'mjd_r' is left out"));

  Ports ports;
  h.stage().declare({}, ports);
  std::vector<std::string> product;
  for (const Port& port : ports.added()) {
    if (port.in_product) product.push_back(port.file_name);
  }
  CHECK(product == std::vector<std::string>{"magerr_g", "mjd_g", "mag_g"});
}

TEST_CASE("a column that a light curve lacks is named") {
  const Folder folder;
  TestTable table(kIds);
  table.add_arrays<double>("mjd_g", kLengths).add_arrays<float>("mag_g", kLengths);
  CHECK_THAT(refusal({table.write(folder / "a.fits")}),
             Contains("'ztf.g' has mjd_g, but no magerr;"));
  Harness h("lightcurve-source", reading({table.add_ztf("r", kLengths).write(folder / "a.fits")}));
  h.run();
  REQUIRE(h.messages().size() == 2);
  CHECK_THAT(h.messages()[0], Contains("column 'mjd_g' is left out: it belongs to no light curve"));
}

TEST_CASE("columns of a band must be arrays of numbers") {
  const Folder folder;
  TestTable table(kIds);
  for (const char* name : {"t", "e", "airmass_g"}) table.add_arrays<double>(name, kLengths);
  table.add<double>("m", {1, 2, 3});
  const std::string file = table.write(folder / "ps1.fits");
  CHECK_THAT(refusal({file}, {{"band", bands()}}),
             Contains("column 'm' cannot be epochs of 'ps1.g': it has one value a row"));
}

TEST_CASE("identifiers may be called otherwise and be texts, but not floating-point numbers") {
  const Folder folder;
  const auto table = [&](const auto& ids) {
    TestTable out({1, 2, 3}, "number");
    out.add("name", ids).add_ztf("g", kLengths);
    return out.write(folder / "a.fits");
  };
  const std::string texts = table(std::vector<std::string>{"J1", "J2", "J3"});
  CHECK_THAT(refusal({texts}), Contains("there is no column 'source_id' (option 'id')"));
  Harness h("lightcurve-source", reading({texts}, {{"id", "\"name\""}}));
  h.run();
  CHECK(h.batch().id(2) == "J3");
  CHECK_THAT(refusal({table(std::vector<std::string>{"J1", "", "J3"})}, {{"id", "\"name\""}}),
             Contains("row 2: the identifier is missing"));
  CHECK_THAT(refusal({table(std::vector<double>{1, 2, 3})}, {{"id", "\"name\""}}),
             Contains("column 'name' (option 'id') holds f64"));
}

TEST_CASE("a catalogue adds its columns by identifier") {
  const Folder folder;
  const std::string curves = ztf("g").write(folder / "a.fits");
  const auto joined = [&](const TestTable& table) {
    return reading({curves}, {{"catalog", "\"" + table.write(folder / "cat.fits") + "\""}});
  };
  TestTable table({13, 99, 11});
  table.add<double>("z", {3.5, 0, 1.5}).add<std::int32_t>("plate", {300, 0, 100});
  table.add<double>("RA", {0, 0, 0}).add_arrays<float>("spectrum", {1, 1, 1});
  Harness h("lightcurve-source", joined(table));
  h.run();
  const ColumnSet& objects = h.batch().objects();
  CHECK(objects.at("z").number(0) == 1.5);
  CHECK(std::isnan(objects.at("z").number(1)));
  CHECK(objects.at("z").number(2) == 3.5);
  CHECK(objects.at("plate").is_null(1));
  CHECK(objects.at("ra").number(0) == 10);  // the light-curve file has it already
  CHECK(objects.find("RA") == nullptr);
  REQUIRE(h.messages().size() == 2);
  CHECK_THAT(h.messages()[0], Contains("column 'spectrum' is left out"));
  CHECK_THAT(h.messages()[1],
             Contains("1 of 3 objects are not in the catalogue") && Contains("the first is 12"));

  const Options twice = joined(TestTable({11, 12, 11}));
  CHECK_THAT(error_of([&] { Harness("lightcurve-source", twice).run(); }),
             Contains("cat.fits: row 1 and row 3 have the same identifier 11"));
}

TEST_CASE("no column of objects is lost to another of its name") {
  const Folder folder;
  const auto curves = [&](const char* name) {
    TestTable table = ztf("g");
    const std::string file =
        table.add<double>("z", {1, 2, 3}).add<double>("zz", {4, 5, 6}).write(folder / "a.fits");
    rename_column(file, "zz", name);
    return file;
  };
  const std::string file = curves("Z");
  CHECK_THAT(refusal({file}), Contains("column 'z' of") && Contains("column 'Z' of") &&
                                  Contains("a.fits; list the columns"));
  Harness h("lightcurve-source", reading({file}, {{"columns", "[\"Z\", \"RA\"]"}}));
  h.run();
  CHECK(numbers(h.batch().objects().at("Z")) == std::vector<double>{4, 5, 6});
  CHECK(numbers(h.batch().objects().at("RA")) == std::vector<double>{10, 20, 30});
  CHECK(h.batch().objects().find("z") == nullptr);
  CHECK(h.messages().empty());

  CHECK_THAT(refusal({file}, {{"columns", "[\"zzz\"]"}}),
             Contains("a.fits: there is no column 'zzz' (option 'columns')"));
  CHECK_THAT(refusal({file}, {{"columns", "[\"mag_g\"]"}}),
             Contains("column 'mag_g' cannot be taken: it holds arrays"));
  CHECK_THAT(refusal({curves("z")}, {{"columns", "[\"z\"]"}}), Contains("is there 2 times"));
}

TEST_CASE("a column called source_id beside the identifier is not lost") {
  const Folder folder;
  const auto table = [&](const char* name) {
    TestTable out(kIds, "source_id");
    out.add("name", std::vector<std::string>{"A", "B", "C"}).add<double>("z", {1, 2, 3});
    out.add_ztf("g", kLengths);
    return out.write(folder / name);
  };
  const std::string file = table("a.fits");
  const Options by_name{{"id", "\"name\""}};
  CHECK_THAT(refusal({file}, by_name), Contains("column 'name' of") &&
                                           Contains("column 'source_id' of") &&
                                           Contains("option 'columns'"));
  Options only_z = by_name;
  only_z.emplace_back("columns", "[\"z\"]");
  CHECK(refusal({file}, only_z) == "(no error)");
  // In the catalogue, and in a second file, where it is not the first file's.
  TestTable plain({1, 2, 3}, "number");
  plain.add("name", std::vector<std::string>{"A", "B", "C"}).add_ztf("r", kLengths);
  const std::string without = plain.write(folder / "b.fits");
  CHECK_THAT(refusal({without, file}, by_name),
             Contains("b.fits") && Contains("column 'source_id' of"));
  Options joined = by_name;
  joined.emplace_back("catalog", "\"" + file + "\"");
  CHECK_THAT(refusal({without}, joined),
             Contains("column 'name' of") && Contains("column 'source_id' of"));
  joined.emplace_back("columns", "[\"z\"]");
  Harness h("lightcurve-source", reading({without}, joined));
  h.run();
  CHECK(numbers(h.batch().objects().at("z")) == std::vector<double>{1, 2, 3});
  CHECK(h.batch().objects().find("number") == nullptr);
}

TEST_CASE("two columns of a catalogue that differ in case alone are not one") {
  const Folder folder;
  const std::string curves = ztf("g").write(folder / "a.fits");
  TestTable table({13, 99, 11});
  table.add<double>("z", {3.5, 0, 1.5}).add<double>("zz", {7, 8, 9});
  const std::string catalog = table.write(folder / "cat.fits");
  rename_column(catalog, "zz", "Z");
  const Options join{{"catalog", "\"" + catalog + "\""}};
  CHECK_THAT(refusal({curves}, join), Contains("column 'z' of") && Contains("column 'Z' of") &&
                                          Contains("cat.fits; list the columns"));
  Options chosen = join;
  chosen.emplace_back("columns", "[\"Z\", \"dec\"]");
  Harness h("lightcurve-source", reading({curves}, chosen));
  h.run();
  CHECK(h.batch().objects().at("Z").number(0) == 9);
  CHECK(numbers(h.batch().objects().at("dec")) == std::vector<double>{1, 2, 3});
  CHECK(h.batch().objects().find("ra") == nullptr);
  chosen.back().second = "[\"zz\"]";
  CHECK_THAT(refusal({curves}, chosen), Contains("cat.fits: there is no column 'zz'"));
}

TEST_CASE("HDUs are chosen by name or number; a catalogue may be a text") {
  const Folder folder;
  const std::string file = ztf("g").write(folder / "a.fits");
  CHECK(refusal({file}, {{"hdu", "\"1\""}}) == "(no error)");
  CHECK_THAT(refusal({file}, {{"hdu", "\"2\""}}),
             Contains("holds no HDU '2'; its HDUs are 0 (primary), 1 (table, 3 rows)"));
  CHECK_THAT(refusal({file}, {{"hdu", "\"0\""}}), Contains("HDU 0 (primary) is no table"));
  std::ofstream(folder / "cat.csv") << "source_id,z\n11,1\n";
  CHECK(refusal({file}, {{"catalog", "\"" + (folder / "cat.csv").string() + "\""}}) ==
        "(no error)");
}
