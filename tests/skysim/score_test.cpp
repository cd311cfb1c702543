#include "score.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <deque>
#include <filesystem>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>

#include "qsohost/error.hpp"
#include "qsohost/io/fits.hpp"
#include "qsohost/light_curve_fitter.hpp"

using namespace qsohost;
using Catch::Contains;

namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path = fs::temp_directory_path() / ("skysim-score-" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
};

// Objects 1, 2, ...
class Table {
 public:
  explicit Table(std::size_t rows) : rows_(rows) {
    std::iota(rows_.begin(), rows_.end(), std::size_t{0});
    std::vector<std::int64_t> ids(rows);
    std::iota(ids.begin(), ids.end(), 1);
    add("source_id", DType::I64, ids);
  }
  template <class T>
  Table& add(const std::string& name, DType dtype, const std::vector<T>& values) {
    Column& column = columns_.emplace_back(ColumnInfo{name, dtype, "", "", 1});
    for (const T value : values) column.append(value);
    fits_.push_back({column.info(), &column, {}});
    return *this;
  }
  template <class T>
  Table& add(const std::string& name, DType dtype, const std::vector<std::vector<T>>& arrays) {
    Column& column = columns_.emplace_back(ColumnInfo{name, dtype, "", "", 1});
    std::vector<std::uint64_t>& offsets = offsets_.emplace_back(1, 0);
    for (const std::vector<T>& array : arrays) {
      for (const T value : array) column.append(value);
      offsets.push_back(column.size());
    }
    fits_.push_back({column.info(), &column, offsets});
    return *this;
  }
  void write(const fs::path& file) const { write_fits_table(file, {}, fits_, rows_); }

 private:
  std::deque<Column> columns_;
  std::deque<std::vector<std::uint64_t>> offsets_;
  std::vector<FitsColumn> fits_;
  std::vector<std::size_t> rows_;
};

template <class T>
using Arrays = std::vector<std::vector<T>>;

// By default one object with a good epoch at 1, an outlier at 2 and one more at 3 that fails cuts;
// the neighbour is seen at 2 and 5. Removed are the two outliers.
struct Sky {
  std::size_t objects = 1;
  Arrays<double> outlier_times{{2, 3}};
  Arrays<std::int16_t> reasons{{1, 4}};
  Arrays<double> neighbour_times{{2, 5}};
  Arrays<float> neighbour_mags{{17.1f, 17.2f}};
  Arrays<double> times{{1, 2, 3}};
  Arrays<float> mags{{19, 18, 18}};
  Arrays<std::int64_t> epoch_ids;  // of the curves; none: no such column
  Arrays<double> removed{{2, 3}};
  Arrays<std::int64_t> removed_ids{{1, 2}};
  std::vector<std::int32_t> flags{0};
  std::vector<double> deviations{0};  // of ln D after cleaning

  std::string score() const {
    const Folder folder;
    const std::vector<double> zeros(objects, 0);
    Table(objects)
        .add("logD_ztf_g", DType::F64, zeros)
        .add("outlier_time_ztf_g", DType::F64, outlier_times)
        .add("outlier_why_ztf_g", DType::I16, reasons)
        .add("neighbour_time_ztf_g", DType::F64, neighbour_times)
        .add("neighbour_mag_ztf_g", DType::F32, neighbour_mags)
        .write(folder.path / "truth.fits");
    Table curves(objects);
    curves.add("mjd_g", DType::F64, times).add("mag_g", DType::F32, mags);
    if (!epoch_ids.empty()) curves.add("epoch_id_g", DType::I64, epoch_ids);
    curves.write(folder.path / "curves.fits");
    Table(objects)
        .add("removed_mjd", DType::F64, removed)
        .add("removed_epoch_id", DType::I64, removed_ids)
        .add("flags", DType::I32, flags)
        .add("logD_full", DType::F64, zeros)
        .add("logD_post", DType::F64, deviations)
        .write(folder.path / "run_ztf_g.fits");
    skysim::ScoreOptions options;
    options.sky = folder.path;
    options.results = {folder.path / "run_ztf_g.fits"};
    options.curves = {folder.path / "curves.fits"};
    return skysim::score(options);
  }
  // fitted, removed, purity, outliers there, completeness
  std::string numbers(const std::string& objects_of_line) const {
    std::istringstream in(score());
    const std::string begin = "ztf.g    " + objects_of_line + "  ";
    for (std::string line; std::getline(in, line);) {
      if (!line.starts_with(begin)) continue;
      std::istringstream words(line.substr(begin.size()));
      std::string out, word;
      for (int k = 0; k < 5 && words >> word;) {
        if (word == "%") continue;
        out += (out.empty() ? "" : " ") + word;
        ++k;
      }
      return out;
    }
    return "no such line";
  }
};

// What is said of objects whose ln D is found too large by these.
std::string score_of(const std::vector<double>& deviations) {
  const std::size_t n = deviations.size();
  Sky sky;
  sky.objects = n;
  sky.outlier_times = sky.times = sky.removed = Arrays<double>(n, {58000});
  sky.reasons = Arrays<std::int16_t>(n, {1});
  sky.neighbour_times = Arrays<double>(n);
  sky.neighbour_mags = Arrays<float>(n);
  sky.mags = Arrays<float>(n, {18});
  sky.removed_ids = Arrays<std::int64_t>(n, {0});
  sky.flags = std::vector<std::int32_t>(n);
  sky.deviations = deviations;
  return sky.score();
}

// One exposure with both sources, the neighbour's first; an epoch of the neighbour alone.
Sky blended() {
  Sky sky;
  sky.times = {{2, 5, 1, 2, 3}};
  sky.mags = {{17.1f, 17.2f, 19, 18, 18}};
  sky.epoch_ids = {{10, 11, 12, 13, 14}};
  return sky;
}

}  // namespace

TEST_CASE("deviations are summed up by their median, of odd and even numbers") {
  CHECK_THAT(score_of({0.1, 0.9, 0.4}), Contains("+0.40 +- 0.44"));
  CHECK_THAT(score_of({0.9, 0.1, 0.4, 0.2}), Contains("+0.30 +- 0.22"));
  CHECK_THAT(score_of({0.1}), Contains("100.0 %"));
}

TEST_CASE("outliers that fail the cuts are right to remove, and not missed") {
  Sky sky;
  CHECK(sky.numbers("all") == "1 2 100.0 1 100.0");
  sky.removed = {{2}};
  sky.removed_ids = {{1}};
  CHECK(sky.numbers("all") == "1 1 100.0 1 100.0");
  sky.removed = {{1}};
  CHECK(sky.numbers("all") == "1 1 0.0 1 0.0");
  CHECK(sky.numbers("all + neighbours") == "no such line");
}

TEST_CASE("an epoch of a neighbour is neither an outlier nor a good epoch") {
  Sky sky = blended();
  sky.removed = {{2, 5}};
  sky.removed_ids = {{10, 11}};  // both of the neighbour; the outlier of the same exposure stays
  CHECK(sky.numbers("all") == "1 0 - 1 0.0");
  CHECK(sky.numbers("all + neighbours") == "1 2 100.0 3 66.7");
  sky.removed = {{2, 1}};
  sky.removed_ids = {{13, 12}};  // the outlier, and a good epoch
  CHECK(sky.numbers("all") == "1 2 50.0 1 100.0");
  CHECK(sky.numbers("all + neighbours") == "1 2 50.0 3 33.3");
}

TEST_CASE("two sources in one exposure need epoch_id unless it does not matter") {
  Sky sky = blended();
  sky.epoch_ids.clear();
  sky.removed = {{5}};
  sky.removed_ids = {{11}};
  CHECK(sky.numbers("all + neighbours") == "1 1 100.0 3 33.3");
  sky.removed = {{2, 2}};
  sky.removed_ids = {{10, 13}};
  CHECK(sky.numbers("all") == "1 1 100.0 1 100.0");
  sky.removed = {{2}};
  sky.removed_ids = {{13}};
  CHECK_THROWS_WITH(sky.score(),
                    Contains("curves.fits: object 1 has epochs of two sources at 2.0") &&
                        Contains("'epoch_id_g'") && Contains("run_ztf_g.fits") &&
                        Contains("columns = [\"mjd\", \"mag\", \"epoch_id\"]"));
}

TEST_CASE("curves without the removed epochs are refused") {
  Sky sky;
  sky.times = {{1, 3}};  // as left by drop-epochs
  sky.mags = {{19, 18}};
  CHECK_THROWS_WITH(sky.score(),
                    Contains("curves.fits: object 1 has no epoch at 2.0000000 in column 'mjd_g'") &&
                        Contains("run_ztf_g.fits says that one was removed") &&
                        Contains("before ou-loo, not after drop-epochs"));
  sky = blended();
  sky.removed = {{3, 3}};  // there is but one
  sky.removed_ids = {{14, 15}};
  CHECK_THROWS_WITH(sky.score(), Contains("object 1 has no epoch at 3.0"));
}

TEST_CASE("flagged objects are counted apart") {
  Sky sky;
  sky.objects = 2;
  sky.outlier_times = {{2}, {2}};
  sky.reasons = {{1}, {1}};
  sky.neighbour_times = {{}, {}};
  sky.neighbour_mags = {{}, {}};
  sky.times = {{1, 2}, {1, 2}};
  sky.mags = {{19, 18}, {19, 18}};
  sky.removed = {{2}, {1}};
  sky.removed_ids = {{1}, {0}};
  sky.deviations = {0, 0};
  const std::int32_t flag = GENERATE(std::int32_t{kTwoSources}, 1 << 24);
  sky.flags = {kShortBaseline, kShortBaseline | flag};
  CHECK(sky.numbers("not flagged") == "1 1 100.0 1 100.0");
  CHECK(sky.numbers("all") == "2 2 50.0 2 50.0");
  sky.flags = {flag, flag};
  CHECK(sky.numbers("not flagged") == "0 0 - 0 -");
}
