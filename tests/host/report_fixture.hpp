// Small runs for the tests of the report's sections: FITS products as sinks write them.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "plot/figure.hpp"
#include "qsohost/io/fits.hpp"
#include "qsohost/io/fits_epochs.hpp"
#include "qsohost/light_curve.hpp"
#include "report/run_products.hpp"
#include "report/section.hpp"

namespace report_test {

using qsohost::Column;
using qsohost::ColumnInfo;
using qsohost::DType;
using qsohost::LightCurve;

inline const double kNan = std::numeric_limits<double>::quiet_NaN();

// A folder that goes when the test ends.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "report-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// A table with source_id and columns of numbers; or also with light curves of one group.
class Table {
 public:
  explicit Table(std::vector<std::int64_t> ids) : rows_(ids.size()) {
    Column& column = columns_.emplace_back(ColumnInfo{"source_id", DType::I64, "", ""});
    for (const std::int64_t id : ids) column.append<std::int64_t>(id);
  }
  explicit Table(const std::vector<std::string>& ids) : rows_(ids.size()) {
    Column& column = columns_.emplace_back(ColumnInfo{"source_id", DType::String, "", ""});
    for (const std::string& id : ids) column.append_string(id);
  }
  Table& add(std::string name, const std::vector<double>& values, std::string description = "") {
    REQUIRE(values.size() == rows_);
    Column& column =
        columns_.emplace_back(ColumnInfo{std::move(name), DType::F64, "", std::move(description)});
    for (const double v : values) column.append<double>(v);
    return *this;
  }
  Table& history(std::vector<std::string> lines) {
    header_.history = std::move(lines);
    return *this;
  }
  // Of survey "ztf", as its sink names the columns.
  Table& add_curves(const std::string& band, const std::vector<LightCurve>& curves) {
    REQUIRE(curves.size() == rows_);
    const std::string group = "ztf." + band;
    epochs_.groups.push_back({group, "ztf", band, "mjd", "mag", "magerr", qsohost::kMjdUtc});
    std::vector<std::uint64_t>& offsets = offsets_.emplace_back(std::vector<std::uint64_t>{0});
    for (const LightCurve& c : curves) offsets.push_back(offsets.back() + c.size());
    for (const auto& [name, member] : {std::pair("mjd", &LightCurve::time),
                                       {"mag", &LightCurve::mag},
                                       {"magerr", &LightCurve::mag_err}}) {
      Column& column =
          columns_.emplace_back(ColumnInfo{std::string(name) + "_" + band, DType::F64, "", ""});
      for (const LightCurve& c : curves) {
        for (const double v : c.*member) column.append<double>(v);
      }
      arrays_.emplace_back(columns_.size() - 1, offsets_.size() - 1);
      epochs_.columns.push_back({column.name(), group, name});
    }
    return *this;
  }
  void write(const std::filesystem::path& file, std::string extension) {
    header_.extension = std::move(extension);
    header_.keywords = qsohost::epoch_keywords(epochs_);
    std::vector<qsohost::FitsColumn> columns;
    for (const Column& c : columns_) columns.push_back({c.info(), &c});
    for (const auto& [column, offsets] : arrays_) columns[column].offsets = offsets_[offsets];
    std::vector<std::size_t> rows(rows_);
    for (std::size_t i = 0; i < rows_; ++i) rows[i] = i;
    qsohost::write_fits_table(file, header_, columns, rows);
  }

 private:
  std::size_t rows_;
  std::vector<Column> columns_;
  std::vector<std::vector<std::uint64_t>> offsets_;
  std::vector<std::pair<std::size_t, std::size_t>> arrays_;  // column, its offsets
  qsohost::FitsEpochs epochs_;
  qsohost::FitsHeader header_;
};

inline std::vector<std::int64_t> ids_to(std::size_t n) {
  std::vector<std::int64_t> ids;
  for (std::size_t i = 0; i < n; ++i) ids.push_back(static_cast<std::int64_t>(1000 + i));
  return ids;
}

inline std::vector<double> all(std::size_t n, double value) {
  return std::vector<double>(n, value);
}

// An Ornstein-Uhlenbeck process with white noise of mag_err, at random times within a baseline.
inline LightCurve simulate(std::size_t epochs, double sigma, double tau, double mean,
                           double mag_err, std::mt19937_64& random) {
  std::uniform_real_distribution<double> when(0, 1000);
  std::normal_distribution<double> normal;
  LightCurve curve;
  for (std::size_t i = 0; i < epochs; ++i) curve.time.push_back(58000 + when(random));
  std::sort(curve.time.begin(), curve.time.end());
  double state = sigma * normal(random);
  for (std::size_t i = 0; i < epochs; ++i) {
    if (i > 0) {
      const double kept = std::exp(-(curve.time[i] - curve.time[i - 1]) / tau);
      state = kept * state + sigma * std::sqrt(1 - kept * kept) * normal(random);
    }
    curve.mag.push_back(mean + state + mag_err * normal(random));
    curve.mag_err.push_back(mag_err);
  }
  return curve;
}

// The layer of a type with this label; fails the test if there is none.
template <class Layer>
const Layer& layer(const qsohost::plot::Figure& figure, const std::string& label) {
  for (const auto& any : figure.layers) {
    const auto* found = std::get_if<Layer>(&any);
    if (found != nullptr && found->label == label) return *found;
  }
  INFO("figure " << figure.id << ", layer " << label);
  REQUIRE(false);
  throw std::logic_error("no such layer");
}

inline const qsohost::plot::Figure& figure(const qsohost::cli::Section& section,
                                           const std::string& id) {
  for (const auto& f : section.figures) {
    if (f.id == id) return f;
  }
  INFO("section " << section.id << ", figure " << id);
  REQUIRE(false);
  throw std::logic_error("no such figure");
}

}  // namespace report_test
