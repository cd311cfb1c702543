// FITS files of the table epoch_photometry for tests: made in memory, changed, written.
#pragma once

#include <catch2/catch.hpp>

#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include <qsohost/io/fits.hpp>
#include "bands.hpp"

namespace test {

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Array {
  qsohost::Column values;
  std::vector<std::uint64_t> offsets{0};
};

class EpochFile {
 public:
  // Flags as bool or as small integers.
  explicit EpochFile(qsohost::DType flags = qsohost::DType::Bool) {
    add("source_id", qsohost::DType::I64);
    add("n_transits", qsohost::DType::I16);
    add("transit_id", qsohost::DType::I64);
    for (const std::string prefix : {"g_transit_", "bp_", "rp_"}) {
      add(prefix == "g_transit_" ? prefix + "time" : prefix + "obs_time", qsohost::DType::F64);
      for (const char* what : {"flux", "flux_error", "mag"}) {
        add(prefix + what, qsohost::DType::F64);
      }
      add(prefix + "flux_over_error", qsohost::DType::F32);
    }
    for (const gaia::Flag& flag : gaia::flags()) add(flag.name, flags);
  }

  // A source with transits of these identifiers. The value of column number c at transit t is
  // t + c / 100; flags are set where transit and column are both even.
  EpochFile& source(std::int64_t id, const std::vector<std::int64_t>& transits) {
    int number = 0;
    for (const std::string& name : names_) {
      Array& a = arrays_.at(name);
      ++number;
      if (name == "source_id") {
        a.values.append(id);
      } else if (name == "n_transits") {
        a.values.append(static_cast<std::int16_t>(transits.size()));
      } else {
        for (const std::int64_t t : transits) append(a.values, t, number);
      }
      a.offsets.push_back(a.values.size());
    }
    ++rows_;
    return *this;
  }

  Array& at(const std::string& name) { return arrays_.at(name); }
  void drop(const std::string& name) { std::erase(names_, name); }
  void rename(const std::string& name, const std::string& to) {
    arrays_.emplace(to, arrays_.at(name));
    arrays_.at(to).values.rename(to);
    *std::find(names_.begin(), names_.end(), name) = to;
  }

  void write(const std::filesystem::path& file) const {
    std::vector<qsohost::FitsColumn> columns;
    for (const std::string& name : names_) {
      const Array& a = arrays_.at(name);
      const bool is_array = name != "source_id" && name != "n_transits";
      columns.push_back({a.values.info(), &a.values, {}});
      if (is_array) columns.back().offsets = a.offsets;
    }
    std::vector<std::size_t> order(rows_);
    std::iota(order.begin(), order.end(), std::size_t{0});
    qsohost::write_fits_table(file, {}, columns, order);
  }

 private:
  void add(const std::string& name, qsohost::DType dtype) {
    names_.push_back(name);
    arrays_.emplace(name, Array{qsohost::Column({name, dtype, "", ""}), {0}});
  }

  static void append(qsohost::Column& column, std::int64_t t, int number) {
    const bool is_set = t % 2 == 0 && number % 2 == 0;
    switch (column.dtype()) {
      case qsohost::DType::I64:
        return column.append(t);
      case qsohost::DType::I16:
        return column.append(static_cast<std::int16_t>(is_set));
      case qsohost::DType::Bool:
        return column.append(is_set);
      case qsohost::DType::F32:
        return column.append(static_cast<float>(t) + static_cast<float>(number) / 100);
      default:
        return column.append(static_cast<double>(t) + number / 100.0);
    }
  }

  std::vector<std::string> names_;
  std::map<std::string, Array> arrays_;
  std::size_t rows_ = 0;
};

}  // namespace test
