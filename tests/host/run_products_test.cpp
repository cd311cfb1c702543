// Reading products that are not as a sink wrote them.
#include <catch2/catch.hpp>

#include <array>
#include <string>
#include <vector>

#include "folder.hpp"
#include "qsohost/error.hpp"
#include "qsohost/io/fits.hpp"
#include "report/run_products.hpp"

using namespace qsohost;
using namespace qsohost::cli;
using Catch::Contains;

namespace {

// Two rows: an identifier, pairs of numbers, and arrays of 1 and 2 and of 2 and 1 numbers.
struct Fixture {
  Folder folder;
  Product product;

  Fixture() {
    Column id({"source_id", DType::I64, "", ""});
    Column pair({"pair", DType::F64, "", "", 2});
    Column a({"a", DType::F64, "", ""});
    Column b({"b", DType::F64, "", ""});
    for (const std::int64_t n : {1, 2}) id.append(n);
    for (const double x : {1.0, 2.0, 3.0, 4.0}) pair.append(x);
    for (const double x : {1.0, 2.0, 3.0}) {
      a.append(x);
      b.append(x);
    }
    const std::vector<std::uint64_t> of_a{0, 1, 3}, of_b{0, 2, 3};
    const std::vector<FitsColumn> columns{
        {id.info(), &id}, {pair.info(), &pair}, {a.info(), &a, of_a}, {b.info(), &b, of_b}};
    write_fits_table(folder / "x.fits", {}, columns, std::vector<std::size_t>{0, 1});
    product.file = folder / "x.fits";
  }
  void read(const std::string& column, const std::function<void(const Rows&)>& visit) const {
    each_block(product, std::array<std::string, 3>{column, "a", "b"}, visit);
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a column of arrays is no column of numbers") {
  for (const std::string column : {"pair", "a"}) {
    read(column, [&](const Rows& rows) {
      const auto wrong = Contains("x.fits: column '" + column + "' holds several values a row");
      CHECK_THROWS_WITH(rows.numbers(0), wrong);
      CHECK_THROWS_WITH(rows.texts(0), wrong);
      CHECK_FALSE(rows.array_numbers(0).empty());
    });
  }
  read("source_id", [](const Rows& rows) { CHECK(rows.numbers(0) == std::vector{1.0, 2.0}); });
}

TEST_CASE_METHOD(Fixture, "arrays of different lengths do not go together") {
  read("source_id", [](const Rows& rows) {
    rows.require_equal_lengths({1, 1});
    CHECK_THROWS_WITH(rows.require_equal_lengths({1, 2}),
                      Contains("x.fits: row 1: column 'a' has 1 values, but 'b' has 2"));
  });
}
