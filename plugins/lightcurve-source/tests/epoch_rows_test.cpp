// Tables with one row per epoch: the same light curves, whatever the order of the rows.
#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "light_curve_files.hpp"
#include "source_runs.hpp"

using namespace qsohost;
using Catch::Matchers::Contains;

namespace {

using Numbers = std::vector<double>;
using Texts = std::vector<std::string>;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// mjd is 58000 + 100 x object + epoch.
struct Rows {
  std::vector<std::int64_t> ids;
  Numbers mjd;
  Texts band;
};

const Rows kSorted{{12, 12, 12, 11, 11, 13},
                   {58200, 58201, 58202, 58100, 58101, 58300},
                   {"g", "r", "g", "r", "g", "r"}};
const Rows kMixed{{12, 11, 13, 12, 11, 12},
                  {58200, 58100, 58300, 58201, 58101, 58202},
                  {"g", "r", "r", "r", "g", "g"}};

// mag is mjd / 10,000, magerr 0.1.
TestTable table_of(const Rows& rows) {
  TestTable table(rows.ids);
  Numbers mag;
  for (const double mjd : rows.mjd) mag.push_back(mjd / 10000);
  table.add("mjd", rows.mjd).add("mag", mag);
  table.add("magerr", Numbers(rows.ids.size(), 0.1)).add("band", rows.band);
  return table;
}

std::string entry(const std::string& group, const std::string& value,
                  const std::string& more = "") {
  return fmt::format(
      R"({{ group = "{}", time = "mjd", mag = "mag", mag_err = "magerr"{}{} }})", group,
      value.empty() ? "" : fmt::format(R"(, band_column = "band", band_value = "{}")", value),
      more);
}

Options bands(const Texts& entries, Options more = {}) {
  more.emplace_back("band", fmt::format("[{}]", fmt::join(entries, ", ")));
  return more;
}

const Options kGr = bands({entry("ztf.g", "g"), entry("ztf.r", "r")});

std::vector<std::uint64_t> offsets(const Group& group) {
  return {group.offsets().begin(), group.offsets().end()};
}

}  // namespace

TEST_CASE("rows become light curves of objects in the order of their first rows") {
  const Folder folder;
  for (const Rows& rows : {kSorted, kMixed}) {
    Harness h("lightcurve-source", reading({table_of(rows).write(folder / "t.fits")}, kGr));
    h.run();
    const bool is_sorted = rows.ids == kSorted.ids;
    CHECK(numbers(h.batch().objects().at("source_id")) == Numbers{12, 11, 13});
    const Group& g = h.batch().group("ztf.g");
    const Group& r = h.batch().group("ztf.r");
    CHECK(offsets(g) == std::vector<std::uint64_t>{0, 2, 3, 3});
    CHECK(offsets(r) == std::vector<std::uint64_t>{0, 1, 2, 3});
    CHECK(numbers(g.at("mjd")) == Numbers{58200, 58202, 58101});
    CHECK(numbers(g.at("mag")) == Numbers{5.82, 5.8202, 5.8101});
    CHECK(numbers(g.at("epoch_id")) == (is_sorted ? Numbers{0, 2, 4} : Numbers{0, 5, 4}));
    CHECK(g.info().mag_err == "magerr");
    CHECK(g.info().time_system == kMjdUtc);
    CHECK(numbers(r.at("mjd")) == Numbers{58201, 58100, 58300});
    CHECK(h.messages().size() == (is_sorted ? 0 : 1));
  }
}

TEST_CASE("without a band column all rows belong to each light curve") {
  const Folder folder;
  const std::string file = table_of(kMixed).add("mag2", kMixed.mjd).write(folder / "t.fits");
  const std::string second =
      R"({ group = "own.w", time = "mjd", mag = "mag2", mag_err = "magerr", columns = ["band"] })";
  Harness h("lightcurve-source", reading({file}, bands({entry("own.v", ""), second})));
  h.run();
  const Numbers all{58200, 58201, 58202, 58100, 58101, 58300};
  CHECK(numbers(h.batch().group("own.v").at("mjd")) == all);
  CHECK(numbers(h.batch().group("own.w").at("mag2")) == all);
  CHECK(h.batch().group("own.w").at("band").strings()[3] == "r");
}

TEST_CASE("bands are texts without the blanks around them, or integers by their digits") {
  const Folder folder;
  Rows rows = kSorted;
  rows.band[1] = " r";
  Harness h("lightcurve-source", reading({table_of(rows).write(folder / "t.fits")}, kGr));
  h.run();
  CHECK(numbers(h.batch().group("ztf.r").at("epoch_id")) == Numbers{1, 3, 5});
  TestTable table = table_of(kSorted);
  table.add<std::int16_t>("fid", {1, 2, 1, 2, 1, 2});
  const std::string by_fid =
      R"([{ group = "ztf.r", time = "mjd", mag = "mag", mag_err = "magerr", )"
      R"(band_column = "FID", band_value = "2" }])";
  Harness number("lightcurve-source",
                 reading({table.write(folder / "t.fits")}, {{"band", by_fid}}));
  number.run();
  CHECK(numbers(number.batch().group("ztf.r").at("epoch_id")) == Numbers{1, 3, 5});
}

TEST_CASE("rows of no light curve are counted with their values") {
  const Folder folder;
  Rows rows = kSorted;
  rows.band = {"g", "i", "g", "", "z", "i"};
  const std::string file = table_of(rows).write(folder / "t.fits");
  Harness h("lightcurve-source", reading({file}, kGr));
  h.run();
  CHECK(h.batch().rows() == 3);
  CHECK(numbers(h.batch().group("ztf.g").at("epoch_id")) == Numbers{0, 2});
  REQUIRE(h.messages().size() == 2);
  CHECK_THAT(h.messages()[0], Contains("light curve 'ztf.r' is empty: no row has 'r'"));
  CHECK_THAT(h.messages()[1], Contains("4 of 6 rows are left out") &&
                                  Contains("no value (1 rows), 'i' (2 rows), 'z' (1 rows)"));
  CHECK_THAT(refusal({file}, bands({entry("ztf.g", "G")})),
             Contains("no row is of a [[stage.band]]") && Contains("'g' (2 rows)"));
}

TEST_CASE("columns of objects have one value an object") {
  const Folder folder;
  TestTable table = table_of(kMixed);
  table.add("z", Numbers{1, kNaN, 3, 1, kNaN, 1}).add("name", Texts{"b", "a", "c", "b", "a", "b"});
  table.add("seeing", Numbers{1, 2, 3, 1, 2, 1.5});
  const std::string file = table.write(folder / "t.fits");
  Options chosen = kGr;
  chosen.emplace_back("columns", R"(["Z", "name"])");
  Harness h("lightcurve-source", reading({file}, chosen));
  h.run();
  const Column& z = h.batch().objects().at("Z");
  CHECK(z.number(0) == 1);
  CHECK(std::isnan(z.number(1)));
  CHECK(h.batch().objects().at("name").strings()[2] == "c");
  CHECK(h.batch().objects().find("seeing") == nullptr);

  chosen.back().second = R"(["seeing"])";
  CHECK_THAT(refusal({file}, chosen), Contains("column 'seeing' (option 'columns')") &&
                                          Contains("row 1 has 1 and row 6 has 1.5"));
  chosen.back().second = R"(["zz"])";
  CHECK_THAT(refusal({file}, chosen), Contains("there is no column 'zz' (option 'columns')"));

  Harness all("lightcurve-source", reading({file}, kGr));
  all.run();
  CHECK(all.batch().objects().count() == 1);
  CHECK_THAT(all.messages()[0], Contains("not read: 'z', 'name', 'seeing'"));
}

TEST_CASE("a catalogue adds its columns to objects of rows") {
  const Folder folder;
  TestTable catalog({13, 12});
  catalog.add("z", Numbers{3, 2}).add("ra", Numbers{30, 20});
  Options joined = kGr;
  joined.emplace_back("catalog", "\"" + catalog.write(folder / "cat.fits") + "\"");
  Harness h("lightcurve-source",
            reading({table_of(kMixed).add("ra", kMixed.mjd).write(folder / "t.fits")}, joined));
  h.run();
  CHECK(h.batch().objects().at("z").number(0) == 2);
  CHECK(std::isnan(h.batch().objects().at("z").number(1)));
  CHECK(h.batch().objects().at("ra").number(2) == 30);
  CHECK_THAT(h.messages().back(),
             Contains("1 of 3 objects are not in the catalogue") && Contains("the first is 11"));
}

TEST_CASE("fluxes become magnitudes, units are converted") {
  const Folder folder;
  TestTable table({1, 1, 2});
  table.add("t", Numbers{86400, 172800, 0}, "s").add("f", Numbers{1, -1, 100}, "mJy");
  table.add("e", Numbers{100, 100, 1000}, "uJy");
  Harness h(
      "lightcurve-source",
      reading({table.write(folder / "t.fits")},
              {{"band", R"([{ group = "own.v", time = "t", flux = "f", flux_err = "e" }])"}}));
  h.run();
  const Group& group = h.batch().group("own.v");
  CHECK(numbers(group.at("t")) == Numbers{1, 2, 0});
  const Column& mag = group.at(group.info().mag);
  CHECK(mag.number(0) == Approx(16.4));
  CHECK(std::isnan(mag.number(1)));
  CHECK(mag.number(2) == Approx(11.4));
  CHECK_THAT(h.messages().back(), Contains("1 of 3 epochs have a flux that is negative"));
}

TEST_CASE("a wrong value is named with its row of the file, not of the sorted rows") {
  const Folder folder;
  Rows rows = kMixed;
  rows.mjd[3] += 2400000.5;
  CHECK_THAT(refusal({table_of(rows).write(folder / "t.fits")}, kGr),
             Contains("t.fits: row 4: column 'mjd' of light curve 'ztf.r'"));
  TestTable table({1, 2, 3}, "number");
  table.add("name", Texts{"a", "", "a"}).add("mjd", Numbers(3, 58000));
  table.add("mag", Numbers(3, 18)).add("magerr", Numbers(3, 0.1));
  CHECK_THAT(
      refusal({table.write(folder / "t.fits")}, bands({entry("ztf.g", "")}, {{"id", "\"name\""}})),
      Contains("t.fits: row 2: the identifier is missing"));
}

TEST_CASE("an object is found without reading those before it") {
  const Folder folder;
  Harness h("lightcurve-source", reading({table_of(kMixed).write(folder / "t.fits")}, kGr));
  h.run();
  auto& source = static_cast<Source&>(h.stage());
  CHECK(source.size() == 3);
  CHECK(source.seek(1) == 1);
  Batch batch(0, 1, 10);
  batch.objects().add({"source_id", DType::I64, "", ""});
  for (const char* name : {"ztf.g", "ztf.r"}) {
    Group& group = batch.add_group(h.batch().group(name).info());
    for (const char* column : {"mjd", "mag", "magerr"}) group.add({column, DType::F64, "", ""});
    group.add({"epoch_id", DType::I64, "", ""});
  }
  REQUIRE(source.read(batch));
  CHECK(numbers(batch.objects().at("source_id")) == Numbers{11, 13});
  CHECK(numbers(batch.group("ztf.r").at("mjd")) == Numbers{58100, 58300});
  CHECK(source.seek(7) == 3);
}

TEST_CASE("a table with one row per epoch is recognised, and the entry for it written") {
  const Folder folder;
  const std::string file = table_of(kMixed).write(folder / "t.fits");
  CHECK_THAT(refusal({file}),
             Contains("row 2 and row 5 have the same identifier 11; if the table has one row per "
                      "epoch, name its columns in [[stage.band]]") &&
                 Contains("group = \"survey.g\"\n  time = \"mjd\"\n  mag = \"mag\"\n"
                          "  mag_err = \"magerr\"\n  band_column = \"band\"\n"
                          "  band_value = \"g\"\n"));
  TestTable bare({1, 1});
  CHECK_THAT(refusal({bare.add("x", Numbers{1, 2}).write(folder / "bare.fits")}),
             Contains("time = \"<column of times>\""));
  TestTable once({1, 2});
  once.add("mjd", Numbers(2, 58000)).add("mag", Numbers(2, 18)).add("magerr", Numbers(2, 0.1));
  Harness h("lightcurve-source",
            reading({once.write(folder / "once.fits")}, bands({entry("ztf.g", "")})));
  h.run();
  CHECK_THAT(h.messages().back(), Contains("every object has one row"));
}

TEST_CASE("a table of no rows has no objects") {
  const Folder folder;
  Harness h("lightcurve-source", reading({table_of({}).write(folder / "t.fits")}, kGr));
  h.run();
  CHECK(h.batch().rows() == 0);
}

TEST_CASE("rows and arrays, and several files of rows, do not go together") {
  const Folder folder;
  TestTable table = table_of(kSorted);
  for (const char* name : {"t", "m", "e"}) table.add_arrays<double>(name, Lengths(6, 2));
  const std::string file = table.write(folder / "t.fits");
  const std::string arrays = R"({ group = "own.v", time = "t", mag = "m", mag_err = "e"})";
  CHECK_THAT(refusal({file}, bands({entry("ztf.g", ""), arrays})),
             Contains("'ztf.g' and 'own.v' do not go together") &&
                 Contains("column 'mjd' has one value a row") && Contains("'t' holds arrays"));
  CHECK_THAT(refusal({file}, bands({entry("ztf.g", "", R"(, columns = ["m"])")})),
             Contains("column 'm' cannot be of epochs: it holds several values a row"));
  CHECK_THAT(refusal({file, file}, kGr),
             Contains("t.fits has one row per epoch") && Contains("only one can be read"));
  const std::string with_column =
      arrays.substr(0, arrays.size() - 1) + R"(, band_column = "band", band_value = "g" })";
  TestTable alone({1, 2});
  for (const char* name : {"t", "m", "e"}) alone.add_arrays<double>(name, {1, 2});
  CHECK_THAT(refusal({alone.write(folder / "a.fits")}, bands({with_column})),
             Contains("'own.v' has band_column") && Contains("a.fits are arrays"));
}

TEST_CASE("columns of rows are named that are missing, of another type or there twice") {
  const Folder folder;
  const std::string file = table_of(kSorted).add("text", kSorted.band).write(folder / "t.fits");
  const auto with = [&](const std::string& names) {
    return refusal({file}, bands({fmt::format(R"({{ group = "a.b", {} }})", names)}));
  };
  CHECK_THAT(with(R"(time = "mjdd", mag = "mag", mag_err = "magerr")"),
             Contains("there is no column 'mjdd' (option 'band'); did you mean 'mjd'"));
  CHECK_THAT(with(R"(time = "mjd", mag = "text", mag_err = "magerr")"),
             Contains("column 'text' of light curve 'a.b' holds texts, not numbers"));
  CHECK_THAT(with(R"(time = "mjd", mag = "mag", mag_err = "mag")"),
             Contains("column 'mag' is named twice for light curve 'a.b'"));
  const std::string roles = R"(time = "mjd", mag = "mag", mag_err = "magerr", )";
  CHECK_THAT(with(roles + R"(band_column = "magerr", band_value = "0.1")"),
             Contains("column 'magerr' (option 'band_column') holds f64"));
  CHECK_THAT(with(roles + R"(band_column = "band")"),
             Contains("'a.b' has band_column, but no band_value"));
  CHECK_THAT(with(roles + R"(band_value = "g")"),
             Contains("'a.b' has band_value, but no band_column"));
  const std::string other =
      fmt::format(R"({{ group = "a.c", {}band_column = "text", band_value = "g" }})", roles);
  CHECK_THAT(refusal({file}, bands({entry("a.b", "g"), other})),
             Contains("band_column is 'band' and 'text'"));
}
