#include "score.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <deque>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "qsohost/fits.hpp"

using namespace qsohost;
using Catch::Contains;

namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path = fs::temp_directory_path() / ("skysim-score-" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
};

// Objects 1, 2, ...; arrays have one element each.
class Table {
 public:
  explicit Table(std::size_t rows) : offsets_(rows + 1), rows_(rows) {
    std::iota(offsets_.begin(), offsets_.end(), std::uint64_t{0});
    std::iota(rows_.begin(), rows_.end(), std::size_t{0});
    Column& id = columns_.emplace_back(ColumnInfo{"source_id", DType::I64, "", "", 1});
    for (std::size_t row = 0; row < rows; ++row) id.append(static_cast<std::int64_t>(row + 1));
    fits_.push_back({id.info(), &id, {}});
  }
  template <class T>
  Table& add(const std::string& name, DType dtype, const std::vector<T>& values, bool is_array) {
    Column& column = columns_.emplace_back(ColumnInfo{name, dtype, "", "", 1});
    for (const T value : values) column.append(value);
    fits_.push_back({column.info(), &column, {}});
    if (is_array) fits_.back().offsets = offsets_;
    return *this;
  }
  void write(const fs::path& file) const { write_fits_table(file, {}, fits_, rows_); }

 private:
  std::deque<Column> columns_;
  std::vector<FitsColumn> fits_;
  std::vector<std::uint64_t> offsets_;
  std::vector<std::size_t> rows_;
};

// What is said of objects whose ln D is found too large by these.
std::string score_of(const std::vector<double>& deviations) {
  const Folder folder;
  const std::size_t n = deviations.size();
  const std::vector<double> zeros(n, 0), times(n, 58000);
  Table(n)
      .add("logD_ztf_g", DType::F64, zeros, false)
      .add("outlier_time_ztf_g", DType::F64, times, true)
      .add("outlier_why_ztf_g", DType::I16, std::vector<std::int16_t>(n, 1), true)
      .write(folder.path / "truth.fits");
  Table(n).add("mjd_g", DType::F64, times, true).write(folder.path / "curves.fits");
  Table(n)
      .add("removed_mjd", DType::F64, times, true)
      .add("logD_full", DType::F64, zeros, false)
      .add("logD_post", DType::F64, deviations, false)
      .write(folder.path / "run_ztf_g.fits");
  skysim::ScoreOptions options;
  options.sky = folder.path;
  options.results = {folder.path / "run_ztf_g.fits"};
  options.curves = {folder.path / "curves.fits"};
  return skysim::score(options);
}

}  // namespace

TEST_CASE("deviations are summed up by their median, of odd and even numbers") {
  CHECK_THAT(score_of({0.1, 0.9, 0.4}), Contains("+0.40 +- 0.44"));
  CHECK_THAT(score_of({0.9, 0.1, 0.4, 0.2}), Contains("+0.30 +- 0.22"));
  CHECK_THAT(score_of({0.1}), Contains("100.0 %"));
}
