#include <catch2/catch.hpp>

#include <unistd.h>
#include <chrono>
#include <fstream>

#include "epoch_file.hpp"
#include "row_index.hpp"

using namespace gaia;
using test::EpochFile;

namespace {

namespace fs = std::filesystem;

class IndexTest {
 public:
  IndexTest() {
    std::string pattern = (fs::temp_directory_path() / "gaia-index-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
    EpochFile().source(7, {1}).source(5, {2}).source(7, {3}).write(folder_ / "a.fits");
    EpochFile().source(6, {1}).source(7, {4}).write(folder_ / "b.fits");
  }
  ~IndexTest() { fs::remove_all(folder_); }

  fs::path kept() const { return folder_ / "index"; }
  fs::path file(const char* name) const { return folder_ / name; }

  RowIndex open(const std::vector<const char*>& names) const {
    std::vector<IndexedFile> files;
    for (const char* name : names) {
      files.push_back({file(name).string(), qsohost::InputTable(file(name)), 0});
    }
    return RowIndex(files, kept());
  }

 private:
  fs::path folder_;
};

std::vector<Place> find(const RowIndex& index, std::int64_t id) {
  std::vector<Place> places;
  index.find(id, places);
  return places;
}

}  // namespace

TEST_CASE_METHOD(IndexTest, "places of sources in several files") {
  for (const bool again : {false, true}) {
    const RowIndex index = open({"a.fits", "b.fits"});
    CHECK(index.was_kept() == again);
    CHECK(index.rows() == 5);
    CHECK((find(index, 7) == std::vector<Place>{{0, 0}, {0, 2}, {1, 1}}));
    CHECK((find(index, 5) == std::vector<Place>{{0, 1}}));
    CHECK((find(index, 6) == std::vector<Place>{{1, 0}}));
    CHECK(find(index, 8).empty());
    CHECK(find(index, -1).empty());
  }
}

TEST_CASE_METHOD(IndexTest, "an index of other or changed files is made again") {
  open({"a.fits", "b.fits"});
  CHECK_FALSE(open({"b.fits", "a.fits"}).was_kept());
  CHECK_FALSE(open({"a.fits"}).was_kept());
  CHECK(open({"a.fits"}).was_kept());

  // As many rows and bytes as before, but another source.
  EpochFile().source(7, {1}).source(8, {2}).source(7, {3}).write(file("a.fits"));
  const RowIndex changed = open({"a.fits"});
  CHECK_FALSE(changed.was_kept());
  CHECK(find(changed, 5).empty());
  CHECK(find(changed, 8).size() == 1);

  fs::last_write_time(file("a.fits"), fs::file_time_type::clock::now() + std::chrono::hours(1));
  CHECK_FALSE(open({"a.fits"}).was_kept());
}

TEST_CASE_METHOD(IndexTest, "a damaged index is made again") {
  const RowIndex whole = open({"a.fits"});
  const auto size = fs::file_size(kept());
  for (const auto length : {std::uintmax_t{0}, std::uintmax_t{10}, size - 1}) {
    fs::resize_file(kept(), length);
    const RowIndex index = open({"a.fits"});
    CHECK_FALSE(index.was_kept());
    CHECK(find(index, 7).size() == 2);
    CHECK(fs::file_size(kept()) == size);
  }
  std::fstream(kept(), std::ios::in | std::ios::out | std::ios::binary) << "another";
  CHECK_FALSE(open({"a.fits"}).was_kept());
}
