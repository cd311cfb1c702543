// Runs the stage in a chain, on small tables.
#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <qsohost/io/fits.hpp>
#include <qsohost/testing.hpp>

#include "folder.hpp"
#include "rename_column.hpp"

using namespace qsohost;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kArcsec = 1.0 / 3600;

// Two small tables in a folder of their own.
struct Tables {
  fs::path folder;
  Column name{{"SDSS_NAME", DType::String, "", "designation"}};
  Column left_ra{{"RA", DType::F64, "deg"}};
  Column left_dec{{"DEC", DType::F64, "deg"}};
  Column final{{"is_qso_final", DType::I16}};
  Column z{{"Z", DType::F64, "", "redshift"}};
  Column lines{{"LINES", DType::F32, "nm", "", 2}};
  Column id{{"source_id", DType::I64, "", "Gaia's"}};
  Column ra{{"ra", DType::F64, "deg"}};
  Column dec{{"dec", DType::F64, "deg"}};
  Column flag{{"variable", DType::Bool}};
  Column n_obs{{"n_obs", DType::I32}};

  Tables() {
    std::string pattern = (fs::temp_directory_path() / "qsohost-match-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder = pattern;
    // Row 3 is not a quasar, row 4 has no position.
    add_left("a", 10, 20, 1, 1.5);
    add_left("b", 10 + 1.2 * kArcsec, 20, 1, kNaN);
    add_left("c", 359.99995, -5, 1, 2.5);
    add_left("d", 40, 50, 0, 0.1);
    add_left("e", kNaN, 50, 1, 0.2);
    add_right(300, 10 + 0.6 * kArcsec, 20, true, 7);
    add_right(100, 0.00005, -5, false, -1);
    add_right(200, 40, 50, true, 9);
    add_right(50, 10, 20 + 0.9 * kArcsec, false, 3);
    add_right(7, 10, 99, false, 3);
  }
  ~Tables() { fs::remove_all(folder); }

  void add_left(const char* text, double a, double d, std::int16_t is_final, double redshift) {
    name.append_string(text);
    left_ra.append(a);
    left_dec.append(d);
    final.append(is_final);
    z.append(redshift);
    for (int k = 0; k < 2; ++k) lines.append(static_cast<float>(name.size()) + 0.5f * k);
  }
  void add_right(std::int64_t number, double a, double d, bool variable, std::int32_t n) {
    id.append(number);
    ra.append(a);
    dec.append(d);
    flag.append(variable);
    n < 0 ? n_obs.append_null() : n_obs.append(n);
  }

  using Options = std::vector<std::pair<std::string, std::string>>;
  // Quasars alone, unless there is another `where`.
  Options write(const Options& more = {}) const {
    put("left.fits", {&name, &left_ra, &left_dec, &final, &z, &lines});
    put("right.fits", {&id, &ra, &dec, &flag, &n_obs});
    Options options{{"left", '"' + (folder / "left.fits").string() + '"'},
                    {"right", '"' + (folder / "right.fits").string() + '"'}};
    options.insert(options.end(), more.begin(), more.end());
    const bool has_where =
        std::ranges::any_of(more, [](const auto& o) { return o.first == "where"; });
    if (!has_where) options.emplace_back("where", "\"is_qso_final = 1\"");
    return options;
  }

 private:
  void put(const char* file, const std::vector<const Column*>& columns) const {
    std::vector<FitsColumn> out;
    for (const Column* column : columns) out.push_back({column->info(), column, {}});
    std::vector<std::size_t> rows(columns[0]->size());
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    write_fits_table(folder / file, {}, out, rows);
  }
};

struct Matched {
  std::vector<std::int64_t> ids;
  std::string left;  // names of the left rows, concatenated
};

Matched matched(const Tables& tables, const Tables::Options& more) {
  Harness h("fits-crossmatch", tables.write(more));
  h.run();
  Matched out;
  if (h.batch().rows() == 0) return out;
  const auto ids = h.batch().objects().at("source_id").values<std::int64_t>();
  out.ids.assign(ids.begin(), ids.end());
  const StringArray& names = h.batch().objects().at("SDSS_NAME").strings();
  for (std::size_t i = 0; i < names.size(); ++i) out.left += names[i];
  return out;
}

using Ids = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("rows are joined with all their columns, in the order promised") {
  const Tables tables;
  Harness h("fits-crossmatch", tables.write());
  h.run(2);  // in several batches
  const ColumnSet& o = h.batch().objects();
  std::vector<std::string> names;
  for (const Column& column : o) names.push_back(column.name());
  CHECK(names == std::vector<std::string>{"SDSS_NAME", "sdss_RA", "sdss_DEC", "is_qso_final", "Z",
                                          "LINES", "source_id", "gaia_ra", "gaia_dec", "variable",
                                          "n_obs", "match_separation", "n_matches", "ra", "dec"});
  CHECK(o.at("Z").info().description == "redshift");
  CHECK(o.at("match_separation").info().unit == "arcsec");
}

TEST_CASE("every value is that of its row, nulls and vectors too") {
  const Tables tables;
  Harness h("fits-crossmatch", tables.write());
  h.run();
  const ColumnSet& o = h.batch().objects();
  REQUIRE(h.batch().rows() == 4);
  const auto ids = o.at("source_id").values<std::int64_t>();
  CHECK(Ids(ids.begin(), ids.end()) == Ids{50, 100, 300, 300});
  CHECK(o.at("SDSS_NAME").strings()[1] == "c");
  CHECK(o.at("match_separation").values<double>()[0] == Approx(0.9).epsilon(1e-9));
  CHECK(o.at("match_separation").values<double>()[1] ==
        Approx(0.36 * std::cos(5 * 3.14159265358979 / 180)).epsilon(1e-6));
  const auto matches = o.at("n_matches").values<std::int32_t>();
  CHECK(std::vector<int>(matches.begin(), matches.end()) == std::vector<int>{2, 1, 2, 1});
  CHECK(o.at("n_obs").is_null(1));
  CHECK_FALSE(o.at("n_obs").is_null(0));
  CHECK(o.at("variable").values<bool>()[2] == 1);
  CHECK(o.at("LINES").values<float>()[2 * 1 + 1] == 3.5f);
  CHECK(o.at("gaia_ra").values<double>()[1] == 0.00005);
  CHECK(o.at("ra").values<double>()[1] == 0.00005);
  CHECK(o.at("sdss_RA").values<double>()[1] == 359.99995);
  REQUIRE(h.messages().size() == 3);
  CHECK_THAT(h.messages()[0],
             Contains("left.fits: 1 of 4 rows have no position") && Contains("the first is row 5"));
  CHECK_THAT(h.messages()[1], Contains("right.fits: 1 of 5 rows") && Contains("row 5"));
  CHECK_THAT(h.messages()[2], Contains("4 pairs") && Contains("1 identifiers are in several"));
}

TEST_CASE("a pair is found without reading the rows of those before it") {
  const Tables tables;
  Harness h("fits-crossmatch", tables.write());
  h.run();
  auto& source = static_cast<Source&>(h.stage());
  const auto read_from = [&](std::uint64_t first) {
    Batch batch(0, first, 10);
    for (const Column& column : h.batch().objects()) batch.objects().add(column.info());
    CHECK(source.seek(first) == std::min<std::uint64_t>(first, 4));
    if (!source.read(batch)) return Ids{};
    const auto ids = batch.objects().at("source_id").values<std::int64_t>();
    return Ids(ids.begin(), ids.end());
  };
  CHECK(read_from(1) == Ids{100, 300, 300});
  CHECK(read_from(3) == Ids{300});
  CHECK(read_from(9) == Ids{});
}

TEST_CASE("match and unique choose pairs") {
  const Tables tables;
  CHECK(matched(tables, {{"match", "\"nearest\""}}).ids == Ids{100, 300, 300});
  // 0.6 arcsec of RA at this declination are the same distance from a and from b.
  CHECK(matched(tables, {{"unique", "\"drop\""}}).ids == Ids{50, 100});
  CHECK(matched(tables, {{"unique", "\"nearest\""}}).ids == Ids{50, 100, 300});
  CHECK(matched(tables, {{"radius_arcsec", "0.5"}}).left == "c");
  CHECK(matched(tables, {{"radius_arcsec", "0"}, {"where", "\"\""}}).left == "d");
}

TEST_CASE("a right table that is the smaller one gives the same") {
  Tables tables;
  const Matched before = matched(tables, {});
  for (int i = 0; i < 10; ++i) tables.add_left("x", 200, i, 1, 1);
  const Matched after = matched(tables, {{"threads", "3"}});
  CHECK(after.ids == before.ids);
  CHECK(after.left == before.left);
}

TEST_CASE("where takes rows as SQL does") {
  const Tables tables;
  const auto left = [&](const std::string& where) {
    return matched(tables, {{"unique", "\"nearest\""}, {"where", "'" + where + "'"}}).left;
  };
  CHECK(left("") == "acda");
  CHECK(left("IS_QSO_FINAL = 0") == "d");
  CHECK(left("z > 2 -- a comment") == "c");
  CHECK(left("not (z > 2)") == "ada");  // NULL is not selected
  CHECK(left("z is null") == "b");
  CHECK(left("1") == left(""));
}

TEST_CASE("names that differ in case alone trouble where only if it names them") {
  const Tables tables;
  Tables::Options options = tables.write({{"columns", "[\"SDSS_NAME\"]"}});
  rename_column(tables.folder / "left.fits", "LINES", "z");  // besides Z
  CHECK(error_of([&] { Harness("fits-crossmatch", options).run(); }) == "(no error)");
  options[2].second = "[\"SDSS_NAME\", \"Z\"]";
  Harness h("fits-crossmatch", options);
  h.run();
  CHECK(h.batch().objects().at("sdss_Z").info().description == "redshift");
  CHECK(h.batch().objects().find("sdss_z") == nullptr);
  options.back() = {"where", "\"z > 2\""};
  CHECK_THAT(
      error_of([&] { Harness("fits-crossmatch", options).run(); }),
      Contains("left.fits") && Contains("column 'Z' or column 'z'") && Contains("rename one"));
}

TEST_CASE("positions are in the unit that their column declares") {
  Tables tables;
  const Matched before = matched(tables, {});
  constexpr double kRadian = 3.14159265358979323846 / 180;
  const auto in = [](Column& column, const std::string& unit, double per_degree) {
    Column out({column.name(), DType::F64, unit});
    for (std::size_t i = 0; i < column.size(); ++i) out.append(column.number(i) * per_degree);
    column = std::move(out);
  };
  in(tables.left_ra, "h", 1.0 / 15);
  in(tables.left_dec, "rad", kRadian);
  in(tables.ra, "rad", kRadian);
  const Matched after = matched(tables, {});
  CHECK(after.ids == before.ids);
  CHECK(after.left == before.left);
  Harness h("fits-crossmatch", tables.write());
  h.run();
  CHECK(h.batch().objects().at("ra").number(0) == Approx(10).epsilon(1e-14));
  in(tables.dec, "pixel", 1);
  CHECK_THROWS_WITH(matched(tables, {}), Contains("right.fits: column 'dec' (option 'right_dec') "
                                                  "has the unit 'pixel'"));
}

TEST_CASE("what is wrong with where is told") {
  const Tables tables;
  const auto error = [&](const std::string& where) -> std::string {
    try {
      matched(tables, {{"where", "\"" + where + "\""}});
    } catch (const Error& e) {
      return e.what();
    }
    return "none";
  };
  CHECK_THAT(error("is_qso_fnal = 1"),
             Contains("option 'where' = \"is_qso_fnal = 1\"") && Contains("left.fits") &&
                 Contains("did you mean 'is_qso_final'") && Contains("takes every row"));
  CHECK_THAT(error("z >"), Contains("syntax error"));
  CHECK_THAT(error("sdss_name = '\\\"b\\\"' or \\\"b\\\" = 1"), Contains("no such column: b"));
  CHECK_THAT(error("1); drop table left; --"), Contains("';'"));
  CHECK_THAT(error("lines > 1"), Contains("'LINES' holds several values a row"));
  CHECK_THAT(error("z > ?"), Contains("parameter"));
  CHECK_THAT(error("random() > 0"), Contains("not authorized"));
  CHECK_THAT(error("count(*) > 0"), Contains("aggregate"));
  CHECK_THAT(error("abs(is_qso_final * -9223372036854775807 - 1) > 0"),
             Contains("row 1: integer overflow"));
}

TEST_CASE("wrong tables and names are told with their option") {
  Tables tables;
  const auto error = [&](const Tables::Options& more) -> std::string {
    try {
      matched(tables, more);
    } catch (const Error& e) {
      return e.what();
    }
    return "none";
  };
  CHECK_THAT(error({{"left_ra", "\"RAJ2000\""}}),
             Contains("left.fits: there is no column 'RAJ2000' (option 'left_ra')"));
  CHECK_THAT(error({{"right_dec", "\"variable\""}}),
             Contains("option 'right_dec')") && Contains("it holds bool"));
  CHECK_THAT(error({{"id", "\"dec\""}}), Contains("option 'id') holds f64"));
  CHECK_THAT(error({{"prefixes", "[\"a\", \"a\"]"}}), Contains("prefixes"));
  CHECK_THAT(error({{"columns", "[\"zz\"]"}}), Contains("option 'columns': 'zz'"));
  tables.id.set_null(3);
  CHECK_THAT(error({}), Contains("right.fits: row 4 matches, but its identifier"));
}

TEST_CASE("identifiers may be texts") {
  Tables tables;
  tables.id = Column({"source_id", DType::String});
  for (const char* text : {"b", "B", "x", "a10", "a9"}) tables.id.append_string(text);
  Harness h("fits-crossmatch", tables.write({{"columns", "[\"z\"]"}}));
  h.run();
  const StringArray& ids = h.batch().objects().at("source_id").strings();
  std::string all;
  for (std::size_t i = 0; i < ids.size(); ++i) all += std::string(ids[i]) + " ";
  CHECK(all == "B a10 b b ");
}

TEST_CASE("nothing that matches is an empty catalogue") {
  const Tables tables;
  Harness h("fits-crossmatch", tables.write({{"where", "\"z > 100\""}}));
  h.run();
  CHECK(h.batch().rows() == 0);
  CHECK_THAT(h.messages().back(), Contains("0 of 0 rows of") && Contains("have a match"));
}

TEST_CASE("RA outside [0, 360) is taken modulo 360, and said") {
  Tables tables;
  const Matched before = matched(tables, {});
  for (Column* ra : {&tables.left_ra, &tables.ra}) {
    auto values = ra->values<double>();
    for (std::size_t i = 0; i < values.size(); ++i) values[i] += i % 2 == 0 ? 720 : -360;
  }
  Harness h("fits-crossmatch", tables.write());
  h.run();
  const auto ids = h.batch().objects().at("source_id").values<std::int64_t>();
  CHECK(Ids(ids.begin(), ids.end()) == before.ids);
  REQUIRE(h.messages().size() == 5);
  CHECK_THAT(h.messages()[1],
             Contains("left.fits: 3 of 4 rows have RA outside [0, 360), taken modulo 360"));
  CHECK_THAT(h.messages()[3], Contains("right.fits: 4 of 5 rows have RA outside"));
}

TEST_CASE("how many rows match and how many cannot is counted") {
  const Tables tables;
  Harness h("fits-crossmatch", tables.write());
  h.run();
  const Counts counts = static_cast<const Source&>(h.stage()).counts();
  std::map<std::string, std::int64_t> of_left;
  for (const Counts::Entry& e : counts.entries()) {
    if (e.item.starts_with("left: ")) of_left[e.what] = e.n;
  }
  CHECK(of_left ==
        std::map<std::string, std::int64_t>{
            {"rows", 4}, {"no position", 1}, {"RA wrapped", 0}, {"matched", 3}, {"no match", 1}});
}
