// The result of a task: a text table whose columns are separated by blanks,
//
//   ###MJD          m      dm   uJy   duJy F err chi/N     RA       Dec  ...
//   59226.235875  16.177  0.012  1228   15 c  0  54.64 342.45960  51.26340  ...
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace atlas {

inline constexpr std::string_view kBands = "co";  // cyan and orange

constexpr float kNoValue = std::numeric_limits<float>::quiet_NaN();

struct Epoch {
  std::int32_t row = 0;  // in the result, counted from 0
  char band = 0;         // of kBands
  double mjd = 0;
  float mag = kNoValue, mag_err = kNoValue;
  float flux = kNoValue, flux_err = kNoValue;
  float err = kNoValue, chi_n = kNoValue;
  float x = kNoValue, y = kNoValue;
  float maj = kNoValue, min = kNoValue, phi = kNoValue, apfit = kNoValue;
  float mag5sig = kNoValue, sky = kNoValue;
};

// A column of numbers besides MJD, as the archive and as the host call it.
struct Field {
  std::string_view archive;
  std::string_view name;
  std::string_view unit;
  std::string_view help;
  float Epoch::*member;
  bool in_product = false;  // then every result must have it; others are NaN where it has not
};
std::span<const Field> fields();

struct Result {
  std::vector<Epoch> epochs;                  // in the order of the table
  std::map<std::string, std::int64_t> other;  // number of rows in other filters than kBands
};

// Columns are found by name. A negative flux has no magnitude: the archive writes that of its
// absolute value with a minus. Throws TryAgain, with the line, for a text that is no whole result.
Result parse_result(std::string_view text);

}  // namespace atlas
