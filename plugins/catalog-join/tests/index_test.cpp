// The kept index: used again for the same catalogue, made again for another or a damaged file; and
// both kinds of index against brute force.
#include <catch2/catch.hpp>

#include <cmath>
#include <fstream>
#include <random>
#include <string>

#include <fmt/format.h>

#include <qsohost/sphere.hpp>

#include "folder.hpp"
#include "key_index.hpp"
#include "sky_index.hpp"

using namespace catalog_join;
namespace fs = std::filesystem;

namespace {

class Quiet final : public qsohost::Context {
 public:
  bool is_stopped = false;
  const qsohost::RunInfo& run() const override { return run_; }
  void log(qsohost::LogLevel /*level*/, std::string_view /*message*/) override {}
  bool stop_requested() const override { return is_stopped; }

 private:
  qsohost::RunInfo run_;
};

struct IndexTest {
  Folder folder;
  Quiet context;
  fs::path kept = folder / "index/join";

  qsohost::InputTable table(const std::string& text) const {
    std::ofstream(folder / "cat.csv") << text;
    return qsohost::InputTable(folder / "cat.csv");
  }
  KeyIndex keys(qsohost::InputTable& table, const std::string& stamp) const {
    return KeyIndex(table, {{0}, {0}}, {}, kept, stamp, context);
  }
};

std::optional<std::uint64_t> row_of(KeyIndex& index, std::int64_t id) {
  qsohost::Column ids({"id", qsohost::DType::I64, "", ""});
  ids.append(id);
  const qsohost::Column* read = &ids;
  const auto found = index.find(Keys(std::span(&read, 1), {0}, {}), 0);
  return found ? std::optional(found->row) : std::nullopt;
}

}  // namespace

TEST_CASE_METHOD(IndexTest, "an index is used again for the same catalogue alone") {
  qsohost::InputTable first = table("id,x\n5,1\n7,2\n5,3\n");
  CHECK_FALSE(keys(first, "a").was_kept());
  KeyIndex again = keys(first, "a");
  CHECK(again.was_kept());
  CHECK(again.facts().repeated_keys == 1);
  CHECK(again.facts().first == 0);
  CHECK(again.facts().last == 2);
  CHECK(row_of(again, 7) == 1);
  CHECK(row_of(again, 8) == std::nullopt);

  qsohost::InputTable changed = table("id,x\n5,1\n8,2\n5,3\n");
  KeyIndex made = keys(changed, "b");
  CHECK_FALSE(made.was_kept());
  CHECK(row_of(made, 7) == std::nullopt);
  CHECK(row_of(made, 8) == 1);
  // The same catalogue by another column.
  CHECK_FALSE(KeyIndex(changed, {{1}, {0}}, {}, kept, "b", context).was_kept());
}

TEST_CASE_METHOD(IndexTest, "a damaged index is made again") {
  qsohost::InputTable rows = table("id,x\n5,1\n7,2\n");
  keys(rows, "a");
  for (const std::uintmax_t length : {0, 10, 1000}) {
    fs::resize_file(kept, length);
    KeyIndex index = keys(rows, "a");
    CHECK_FALSE(index.was_kept());
    CHECK(row_of(index, 7) == 1);
  }
  std::fstream(kept, std::ios::in | std::ios::out | std::ios::binary) << "another";
  CHECK_FALSE(keys(rows, "a").was_kept());
}

TEST_CASE_METHOD(IndexTest, "a stop while the index is made leaves none") {
  qsohost::InputTable rows = table("id,x\n5,1\n");
  context.is_stopped = true;
  CHECK_THROWS_AS(keys(rows, "a"), qsohost::TryAgain);
  CHECK_FALSE(fs::exists(kept));
  context.is_stopped = false;
  CHECK_FALSE(keys(rows, "a").was_kept());
}

TEST_CASE_METHOD(IndexTest, "the nearest place, against brute force") {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> offset(-0.02, 0.02);
  for (const auto& [ra0, dec0] :
       {std::pair(180.0, 0.0), {0.0, 60.0}, {359.99, -30.0}, {77.0, 89.99}, {10.0, -90.0}}) {
    const auto place = [&, ra0 = ra0, dec0 = dec0] {
      const double dec = std::clamp(dec0 + offset(random), -90.0, 90.0);
      const double cosine = std::max(std::cos(dec * qsohost::kDegree), 1e-4);
      return std::pair(ra0 + offset(random) / cosine, dec);
    };
    std::vector<std::pair<double, double>> places;
    std::string text = "ra,dec\n";
    for (int i = 0; i < 500; ++i) {
      places.push_back(place());
      text += fmt::format("{:.17g},{:.17g}\n", places.back().first, places.back().second);
    }
    qsohost::InputTable rows = table(text);
    SkyIndex index(rows, 0, 1, "", "", context);
    int found = 0;
    for (int i = 0; i < 200; ++i) {
      const auto [ra, dec] = place();
      constexpr double kRadius = 8;
      std::optional<Match> nearest;
      for (std::size_t k = 0; k < places.size(); ++k) {
        const double s = qsohost::separation_arcsec(ra, dec, places[k].first, places[k].second);
        if (s <= kRadius && (!nearest || s < nearest->separation)) nearest = Match{k, {}, s};
      }
      const auto got = index.find(ra, dec, kRadius);
      REQUIRE(got.has_value() == nearest.has_value());
      if (!got) continue;
      ++found;
      CHECK(got->row == nearest->row);
      CHECK(got->separation == Approx(nearest->separation).margin(1e-9));
    }
    CHECK(found > 20);
  }
}
