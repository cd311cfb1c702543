// A table with columns of every kind, as tests write it.
#pragma once

#include <catch2/catch.hpp>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include <qsohost/io/fits.hpp>

#include "fits_folder.hpp"

using namespace qsohost;
using Catch::Matchers::Contains;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Sample {
  Column id{{"source_id", DType::I64, "", "Gaia DR3 identifier"}};
  Column flag{{"is_good", DType::Bool}};
  Column small{{"plate", DType::I16}};
  Column count{{"n", DType::I32, "", "how many"}};
  Column z{{"z", DType::F32}};
  Column name{{"name", DType::String}};
  Column vector{{"lines", DType::F64, "nm", "wavelengths", 3}};
  Column words{{"words", DType::String, "", "", 2}};
  Column mjd{{"mjd", DType::F64, "d"}};
  Column quality{{"catflags", DType::I32}};
  Column seen{{"seen", DType::Bool}};  // arrays that are null as a whole, too
  std::vector<std::uint64_t> offsets{0};

  explicit Sample(std::size_t first, std::size_t rows) {
    for (std::size_t i = first; i < first + rows; ++i) {
      id.append(std::int64_t{4611686018427387905} - static_cast<std::int64_t>(i * 7919 % 1000));
      i % 5 == 4 ? flag.append_null() : flag.append(i % 2 == 0);
      i % 3 == 2 ? small.append_null() : small.append(static_cast<std::int16_t>(i));
      count.append(static_cast<std::int32_t>(i) - 5);
      z.append(i == 1 ? std::numeric_limits<float>::quiet_NaN() : 0.5f * static_cast<float>(i));
      name.append_string(std::string(i % 7, 'x') + std::to_string(i));
      for (int k = 0; k < 3; ++k) vector.append(k == 2 ? kNaN : static_cast<double>(i) + 0.1 * k);
      words.append_string("a" + std::to_string(i));
      words.append_string("");
      for (std::size_t k = 0; k < i % 4; ++k) {
        mjd.append(58000 + static_cast<double>(i) + 0.25 * static_cast<double>(k));
        quality.append(static_cast<std::int32_t>(k));
        if (i == 6 && k == 1) quality.set_null(quality.size() - 1);
        i % 8 == 3 ? seen.append_null() : seen.append(k == 1);
      }
      offsets.push_back(mjd.size());
    }
  }

  std::vector<FitsColumn> columns() const {
    std::vector<FitsColumn> out;
    for (const Column* c : {&id, &flag, &small, &count, &z, &name, &vector, &words}) {
      out.push_back({c->info(), c, {}});
    }
    for (const Column* c : {&mjd, &quality, &seen}) out.push_back({c->info(), c, offsets});
    return out;
  }
  void write(const std::filesystem::path& file, const FitsHeader& header) const {
    std::vector<std::size_t> rows(id.size());
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    write_fits_table(file, header, columns(), rows);
  }
};

inline FitsHeader header() {
  return {"sample",
          {{"CHAIN", "test", "name"}, {"NOTE", std::string(100, 'n'), "a long one"}},
          {"first line", std::string(150, 'h')}};
}

inline std::vector<std::size_t> all_fields(const FitsTable& table) {
  std::vector<std::size_t> fields(table.fields().size());
  std::iota(fields.begin(), fields.end(), std::size_t{0});
  return fields;
}

inline void same_values(const Column& a, const Column& b) {
  INFO("column " << a.name());
  REQUIRE(a.dtype() == b.dtype());
  REQUIRE(a.width() == b.width());
  REQUIRE(a.size() == b.size());
  std::size_t differences = 0;
  for (std::size_t i = 0; i < a.size() * a.width(); ++i) {
    bool same = a.is_null(i) == b.is_null(i);
    if (same && a.dtype() == DType::String) {
      same = a.strings()[i] == b.strings()[i];
    } else if (same && a.dtype() == DType::I64) {
      same = a.values<std::int64_t>()[i] == b.values<std::int64_t>()[i];
    } else if (same) {
      const double x = a.number(i);
      const double y = b.number(i);
      same = x == y || (std::isnan(x) && std::isnan(y));
    }
    differences += same ? 0 : 1;
  }
  CHECK(differences == 0);
}

constexpr const char* kSampleColumns =
    "--columns source_id:K:,is_good:L,plate:I,n:J,z:E,name:8A,lines:3D:nm,words:6A3,mjd:PD:d,"
    "catflags:PJ,seen:PL --json";
