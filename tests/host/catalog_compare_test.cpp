// Numbers of a comparison of catalogues, on small ones.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "folder.hpp"
#include "qsohost/io/fits.hpp"
#include "qsohost/sphere.hpp"
#include "report/catalog_compare.hpp"
#include "report/catalog_match.hpp"

using namespace qsohost;
using namespace qsohost::cli;
using Catch::Contains;

namespace {

struct Files {
  Folder folder;
  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::ofstream(folder / name) << text;
    return folder / name;
  }
};

const std::string kLeft =
    "source_id,ra,dec,z,phot_g_mean_mag\n"
    "1,10,20,1.0,18.1\n"
    "2,359.9999,-5,2.0,19.2\n"
    "3,30,40,0.5,17.5\n"
    "4,50,60,-1,20\n"
    "1,10,20,1.0,18.1\n";
// 3 is elsewhere, 9 is where 2 is.
const std::string kRight =
    "source_id,ra,dec,redshift_quaia,phot_g_mean_mag\n"
    "3,200,40,0.62,17.6\n"
    "1,10,20,1.02,18.0\n"
    "9,0.0001,-5,2.9,19.1\n"
    "4,50,60,1.5,20.1\n";

std::vector<std::string> numbers(const Section& section, std::size_t table, std::size_t row) {
  auto cells = section.tables.at(table).rows.at(row);
  cells.erase(cells.begin());
  return cells;
}

const plot::Figure& figure(const Section& section, const std::string& id) {
  const auto it = std::ranges::find(section.figures, id, &plot::Figure::id);
  REQUIRE(it != section.figures.end());
  return *it;
}

double sum(const plot::Layer& layer) {
  double total = 0;
  for (const double n : std::get<plot::Steps>(layer).counts) total += n;
  return total;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE_METHOD(Files, "two catalogues by identifier") {
  const Section section = catalog_compare(write("left.csv", kLeft), write("right.csv", kRight));
  CHECK((numbers(section, 0, 0) == Texts{"5", "3", "1", "1", "0"}));
  CHECK((numbers(section, 0, 1) == Texts{"4", "3", "1", "0", "0"}));
  CHECK_THAT(section.paragraphs.at(0), Contains("source_id"));
  // (1.02 - 1) / 2 = 0.01 and (0.62 - 0.5) / 1.5 = 0.08; of 4 the left redshift is none.
  CHECK((numbers(section, 1, 0) == Texts{"2", "0.04500", "0.05189", "0.00 %", "0.00 %"}));
  const plot::Figure& mags = figure(section, "compare-mag");
  CHECK(sum(mags.layers.at(0)) == 3);
  CHECK(sum(mags.layers.at(1)) == 1);
  CHECK(sum(mags.layers.at(2)) == 1);
  CHECK_THAT(figure(section, "compare-z").caption, Contains("1 objects without a value"));
}

TEST_CASE_METHOD(Files, "two catalogues by position") {
  const Section section = catalog_compare(write("left.csv", kLeft), write("right.csv", kRight),
                                          {.radius_arcsec = 1, .by_position = true});
  // Of the two equal rows on the left the first has the match; 3 is elsewhere.
  CHECK((numbers(section, 0, 0) == Texts{"5", "3", "2", "0", "0"}));
  CHECK((numbers(section, 0, 1) == Texts{"4", "3", "1", "0", "0"}));
  // 0.01 and (2.9 - 2) / 3 = 0.3.
  CHECK((numbers(section, 1, 0) == Texts{"2", "0.15500", "0.21498", "50.00 %", "50.00 %"}));
  CHECK(figure(section, "compare-sky-right").title == "only in right.csv");
}

TEST_CASE_METHOD(Files, "the catalogue of a run's folder, and values that stand for none") {
  Column id({"source_id", DType::I64, "", ""});
  Column ra({"ra", DType::F64, "deg", ""});
  Column dec({"dec", DType::F64, "deg", ""});
  Column z({"z", DType::F64, "", ""});
  for (const double value : {1e20, 1.5}) {
    id.append(std::int64_t{value > 2 ? 1 : 4});
    ra.append(10.0);
    dec.append(20.0);
    z.append(value);
  }
  std::vector<FitsColumn> columns;
  for (const Column* column : {&id, &ra, &dec, &z}) columns.push_back({column->info(), column, {}});
  const std::vector<std::size_t> rows{0, 1};
  write_fits_table(folder / "c_catalog.fits", {"catalog", {}, {}}, columns, rows);
  const Section section = catalog_compare(folder.path, write("right.csv", kRight));
  CHECK((numbers(section, 0, 0) == Texts{"2", "2", "0", "0", "0"}));
  CHECK(section.title == "c_catalog.fits and right.csv");
  CHECK((numbers(section, 1, 0) == Texts{"1", "0.00000", "0.00000", "0.00 %", "0.00 %"}));
}

TEST_CASE_METHOD(Files, "what of a catalogue was fitted") {
  Column id({"source_id", DType::I64, "", ""});
  Column n_epochs({"n_epochs", DType::I32, "", ""});
  Column flags({"flags", DType::I32, "", ""});
  Column log_tau({"log_tau_post", DType::F64, "", ""});
  for (const std::int64_t n : {1, 3, 4}) {
    id.append(n);
    n_epochs.append(std::int32_t{50});
    flags.append(std::int32_t{0});
    log_tau.append(n == 4 ? std::numeric_limits<double>::quiet_NaN() : 5.0);
  }
  std::vector<FitsColumn> columns;
  for (const Column* column : {&id, &n_epochs, &flags, &log_tau}) {
    columns.push_back({column->info(), column, {}});
  }
  const std::vector<std::size_t> rows{0, 1, 2};
  write_fits_table(folder / "c_loo_ztf_g.fits", {"loo.ztf.g", {}, {}}, columns, rows);
  const Section section = catalog_compare(write("left.csv", kLeft), write("right.csv", kRight),
                                          {.fitted = folder.path});
  // 1 is there twice; 2 has no fit, that of 4 has no result.
  CHECK_THAT(section.paragraphs.back(), Contains("Of 5 objects") && Contains("3 were fitted"));
  const plot::Figure& mags = figure(section, "compare-lost-mag");
  CHECK(sum(mags.layers.at(0)) == 3);
  CHECK(sum(mags.layers.at(1)) == 2);
  const plot::Figure& redshifts = figure(section, "compare-lost-z");
  CHECK(sum(redshifts.layers.at(1)) == 1);
}

TEST_CASE("statistics of differences") {
  std::vector<double> values{0.0, 0.01, -0.01, 0.02, 0.15, -0.5};
  const RedshiftDifference d = redshift_difference(values);
  CHECK(d.pairs == 6);
  CHECK(d.median == Approx(0.005));
  CHECK(d.nmad == Approx(1.4826 * 0.015));
  CHECK(d.beyond_tenth == Approx(2.0 / 6));
  CHECK(d.beyond_two_tenths == Approx(1.0 / 6));
  CHECK(std::isnan(redshift_difference({}).median));
}

TEST_CASE("pairs by position, against brute force") {
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> offset(-0.01, 0.01);
  for (const auto& [ra0, dec0] : {std::pair(180.0, 10.0), {0.0, 80.0}, {5.0, 90.0}}) {
    const auto catalog = [&, ra0 = ra0, dec0 = dec0] {
      ComparedCatalog c;
      c.rows = 400;
      for (std::size_t i = 0; i < c.rows; ++i) {
        c.dec.push_back(std::clamp(dec0 + offset(random), -90.0, 90.0));
        const double cosine = std::max(1e-4, std::cos(c.dec.back() * kDegree));
        c.ra.push_back(ra0 + offset(random) / cosine);
      }
      c.ra[7] = c.dec[7] = std::numeric_limits<double>::quiet_NaN();
      return c;
    };
    const ComparedCatalog left = catalog();
    const ComparedCatalog right = catalog();
    const auto nearest = [](const ComparedCatalog& of, double ra, double dec) {
      std::size_t row = CatalogMatch::kNone;
      double least = 5;
      for (std::size_t k = 0; k < of.rows; ++k) {
        const double s = separation_arcsec(ra, dec, of.ra[k], of.dec[k]);
        if (s < least) {
          least = s;
          row = k;
        }
      }
      return row;
    };
    const CatalogMatch match = match_by_position(left, right, 5);
    CHECK(match.pairs > 30);
    for (std::size_t i = 0; i < left.rows; ++i) {
      std::size_t row = nearest(right, left.ra[i], left.dec[i]);
      if (row != CatalogMatch::kNone && nearest(left, right.ra[row], right.dec[row]) != i) {
        row = CatalogMatch::kNone;
      }
      CHECK(match.of_left[i] == row);
    }
  }
}

TEST_CASE_METHOD(Files, "catalogues that cannot be compared") {
  const auto left = write("left.csv", kLeft);
  CHECK_THAT(error_of([&] { catalog_compare(left, write("right.csv", "a,b\n1,2\n")); }),
             Contains("right.csv") && Contains("'ra' and 'dec'"));
  CHECK_THAT(error_of([&] { catalog_compare(left, left, {.left = {.z = "redshift"}}); }),
             Contains("'redshift'"));
  CHECK_THAT(error_of([&] { catalog_compare(left, folder.path); }), Contains("is a catalogue"));
}

TEST_CASE_METHOD(Files, "what was fitted is not known without fits, or without identifiers") {
  const auto left = write("left.csv", kLeft);
  const auto nameless = write("nameless.csv", "ra,dec\n10,20\n");
  CHECK_THAT(catalog_compare(left, left, {.fitted = folder.path}).paragraphs.back(),
             Contains("no products of fits"));
  CHECK_THAT(catalog_compare(nameless, left, {.fitted = folder.path}).paragraphs.back(),
             Contains("nameless.csv has no column 'source_id'"));
}

TEST_CASE_METHOD(Files, "a catalogue without rows is compared") {
  const Section section = catalog_compare(
      write("left.csv", kLeft), write("right.csv", "source_id,ra,dec\n"), {.by_position = true});
  CHECK((numbers(section, 0, 0) == Texts{"5", "0", "5", "0", "0"}));
}
