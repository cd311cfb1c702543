// Rows by object: read as they stand, or sorted in a temporary file.
#include "qsohost/io/grouped_rows.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "folder.hpp"
#include "qsohost/io/fits.hpp"
#include "qsohost/io/identifiers.hpp"

using namespace qsohost;
using Catch::Matchers::Contains;
using Rows = std::vector<std::uint64_t>;

namespace {

class TestContext final : public Context {
 public:
  const RunInfo& run() const override { return info_; }
  void log(LogLevel /*level*/, std::string_view message) override { told.emplace_back(message); }
  bool stop_requested() const override { return ++asked_ > stop_after; }
  std::vector<std::string> told;
  int stop_after = 1'000'000;

 private:
  RunInfo info_;
  mutable int asked_ = 0;
};

// A table with identifiers, the number of each row, a text of it and a pair of its halves.
class Table {
 public:
  explicit Table(const std::vector<std::string>& ids) { write(DType::String, ids); }
  explicit Table(const std::vector<std::int64_t>& ids) {
    std::vector<std::string> texts;
    for (const std::int64_t id : ids) texts.push_back(std::to_string(id));
    write(DType::I64, texts);
  }
  InputTable open() const { return InputTable(folder_ / "t.fits"); }

 private:
  void write(DType dtype, const std::vector<std::string>& ids) {
    Column id({"id", dtype, "", ""});
    Column number({"number", DType::I32, "", ""});
    Column text({"text", DType::String, "", ""});
    Column pair({"pair", DType::F64, "", "", 2});
    for (std::size_t i = 0; i < ids.size(); ++i) {
      dtype == DType::String ? id.append_string(ids[i])
                             : id.append(static_cast<std::int64_t>(std::stoll(ids[i])));
      number.append(static_cast<std::int32_t>(i));
      text.append_string("row " + std::to_string(i));
      pair.append(static_cast<double>(i));
      pair.append(static_cast<double>(i) / 2);
    }
    std::vector<FitsColumn> columns;
    for (const Column* c : {&id, &number, &text, &pair}) columns.push_back({c->info(), c, {}});
    std::vector<std::size_t> rows(ids.size());
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    write_fits_table(folder_ / "t.fits", {}, columns, rows);
  }
  Folder folder_;
};

// Reads all objects, `step` at a time; each row's columns must agree with its number.
std::vector<std::pair<std::string, Rows>> all_rows(GroupedRows& grouped, std::uint64_t step) {
  std::vector<std::pair<std::string, Rows>> out;
  for (std::uint64_t first = 0; first < grouped.objects(); first += step) {
    const std::uint64_t count = std::min(step, grouped.objects() - first);
    const Column ids = grouped.ids(first, count);
    const ObjectRows rows = grouped.read(first, count);
    REQUIRE(rows.counts.size() == count);
    REQUIRE(rows.columns.size() == 3);
    std::size_t k = 0;
    for (std::size_t i = 0; i < count; ++i) {
      out.emplace_back(id_text(ids, i), Rows());
      for (const std::size_t end = k + rows.counts[i]; k < end; ++k) {
        const auto row = static_cast<double>(rows.numbers[k]);
        CHECK(rows.columns[0].values.number(k) == row);
        CHECK(rows.columns[1].values.strings()[k] == "row " + std::to_string(rows.numbers[k]));
        CHECK(rows.columns[2].values.number(2 * k + 1) == row / 2);
        out.back().second.push_back(rows.numbers[k]);
      }
    }
    CHECK(k == rows.numbers.size());
  }
  return out;
}

// The same, worked out in memory.
template <class T>
std::vector<std::pair<std::string, Rows>> expected(const std::vector<T>& ids) {
  std::vector<std::pair<std::string, Rows>> out;
  std::map<T, std::size_t> found;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto [it, is_new] = found.try_emplace(ids[i], out.size());
    if (is_new) {
      if constexpr (std::is_same_v<T, std::string>) {
        out.emplace_back(ids[i], Rows());
      } else {
        out.emplace_back(std::to_string(ids[i]), Rows());
      }
    }
    out[it->second].second.push_back(i);
  }
  return out;
}

const std::vector<std::size_t> kColumns{1, 2, 3};

template <class T>
void check_all(const std::vector<T>& ids, std::size_t bucket_bytes, bool is_sorted_on_disk) {
  const Table table(ids);
  for (const std::uint64_t step : {1, 3, 1000}) {
    InputTable input = table.open();
    TestContext context;
    GroupedRows grouped(input, 0, kColumns, context, bucket_bytes);
    CHECK(all_rows(grouped, step) == expected(ids));
    CHECK(context.told.size() == (is_sorted_on_disk ? 1 : 0));
  }
}

std::vector<std::int64_t> shuffled(std::size_t rows, std::int64_t objects) {
  std::vector<std::int64_t> ids(rows);
  std::mt19937 random(3);
  for (std::int64_t& id : ids) id = 1'237'650'371'555'231'745 + random() % objects;
  return ids;
}

}  // namespace

TEST_CASE("rows that stand together are read as they stand") {
  const std::vector<std::int64_t> ids{7, 7, 3, 9, 9, 9};
  check_all(ids, GroupedRows::kBucketBytes, false);
  check_all(std::vector<std::int64_t>{5, 5, 5}, GroupedRows::kBucketBytes, false);
}

TEST_CASE("rows that do not are sorted in a temporary file, whatever the size of a bucket") {
  const std::vector<std::int64_t> ids = shuffled(5000, 300);
  // All rows at once; some; fewer than an object has; one.
  for (const std::size_t bytes :
       {GroupedRows::kBucketBytes, std::size_t{20'000}, std::size_t{500}, std::size_t{1}}) {
    check_all(ids, bytes, true);
  }
  check_all(std::vector<std::int64_t>{1, 2, 1}, 1, true);
}

TEST_CASE("identifiers may be texts; blanks around them do not count") {
  check_all(std::vector<std::string>{"J1", "J1", "J22"}, 100, false);
  check_all(std::vector<std::string>{"J1", "J22", "J1", "A", "J22"}, 100, true);
  const Table table(std::vector<std::string>{" J1", "J2", "J1"});
  InputTable input = table.open();
  TestContext context;
  GroupedRows grouped(input, 0, kColumns, context);
  CHECK(all_rows(grouped, 10) ==
        std::vector<std::pair<std::string, Rows>>{{"J1", {0, 2}}, {"J2", {1}}});
}

TEST_CASE("a table of no rows has no objects") {
  check_all(std::vector<std::int64_t>{}, GroupedRows::kBucketBytes, false);
}

TEST_CASE("objects are read in any order") {
  const std::vector<std::int64_t> ids = shuffled(2000, 100);
  const auto wanted = expected(ids);
  const Table table(ids);
  InputTable input = table.open();
  TestContext context;
  GroupedRows grouped(input, 0, kColumns, context, 2000);
  REQUIRE(grouped.objects() == wanted.size());
  for (const std::uint64_t object : {97, 0, 50, 51, 3}) {
    CHECK(grouped.read(object, 1).numbers == wanted[object].second);
  }
  CHECK(grouped.read(grouped.objects(), 0).numbers.empty());
}

TEST_CASE("a row without an identifier is named") {
  const Table table(std::vector<std::string>{"J1", "", "J1"});
  InputTable input = table.open();
  TestContext context;
  CHECK_THROWS_WITH(GroupedRows(input, 0, kColumns, context),
                    Contains("t.fits: row 2: the identifier is missing"));
}

TEST_CASE("sorting ends when the user wants the run to stop") {
  const Table table(shuffled(100, 10));
  for (const int polls : {0, 1}) {  // while rows are counted, while they are sorted
    InputTable input = table.open();
    TestContext context;
    context.stop_after = polls;
    CHECK_THROWS_AS(GroupedRows(input, 0, kColumns, context), TryAgain);
  }
}
