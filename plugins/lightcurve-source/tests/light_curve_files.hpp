// FITS tables for tests of light-curve sources: arrays whose values encode their origin.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <qsohost/io/fits.hpp>

using Lengths = std::vector<std::uint64_t>;

class TestTable {
 public:
  explicit TestTable(const std::vector<std::int64_t>& ids, const std::string& id = "source_id") {
    rows_ = ids.size();
    add<std::int64_t>(id, ids);
  }

  template <class T>
  TestTable& add(const std::string& name, const std::vector<T>& values,
                 const std::string& unit = "") {
    qsohost::Column& column = make<T>(name);
    column.set_unit(unit);
    for (const T& value : values) {
      if constexpr (std::is_same_v<T, std::string>) {
        column.append_string(value);
      } else {
        column.append(value);
      }
    }
    columns_.push_back({column.info(), &column, {}});
    return *this;
  }

  // Element k of row r is 100 r + k.
  template <class T>
  TestTable& add_arrays(const std::string& name, const Lengths& lengths) {
    qsohost::Column& column = make<T>(name);
    std::vector<std::uint64_t>& ends = offsets_.emplace_back(1, 0);
    for (std::size_t row = 0; row < lengths.size(); ++row) {
      for (std::uint64_t k = 0; k < lengths[row]; ++k) {
        column.append(static_cast<T>(100 * row + k));
      }
      ends.push_back(ends.back() + lengths[row]);
    }
    columns_.push_back({column.info(), &column, ends});
    return *this;
  }

  // The eight columns of a ZTF band.
  TestTable& add_ztf(const std::string& band, const Lengths& lengths) {
    add_arrays<double>("mjd_" + band, lengths);
    add_arrays<float>("mag_" + band, lengths);
    add_arrays<float>("magerr_" + band, lengths);
    add_arrays<std::int32_t>("catflags_" + band, lengths);
    for (const char* name : {"sharp_", "chi_", "limitmag_", "airmass_"}) {
      add_arrays<float>(name + band, lengths);
    }
    return *this;
  }

  std::string write(const std::filesystem::path& file,
                    const qsohost::FitsHeader& header = {}) const {
    std::vector<std::size_t> rows(rows_);
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    qsohost::write_fits_table(file, header, columns_, rows);
    return file;
  }

 private:
  template <class T>
  qsohost::Column& make(const std::string& name) {
    return values_.emplace_back(qsohost::ColumnInfo{name, qsohost::dtype_of<T>()});
  }
  std::size_t rows_ = 0;
  std::deque<qsohost::Column> values_;
  std::deque<std::vector<std::uint64_t>> offsets_;
  std::vector<qsohost::FitsColumn> columns_;
};
