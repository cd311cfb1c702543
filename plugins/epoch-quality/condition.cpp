#include "condition.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace epoch_quality {

namespace {

using qsohost::Column;
using qsohost::DType;

// A limit is rounded to the type of the column: an archive that stores 1.8 in 32 bits means
// 1.79999995, which equals the limit 1.8.
double as_stored(double limit, DType dtype) {
  return dtype == DType::F32 ? static_cast<double>(static_cast<float>(limit)) : limit;
}

// A double would not hold every bit of an i64.
std::int64_t integer(const Column& column, std::size_t i) {
  return column.dtype() == DType::I64 ? column.values<std::int64_t>()[i]
                                      : static_cast<std::int64_t>(column.number(i));
}

bool is_missing(const Column& column, std::size_t i) {
  if (column.dtype() != DType::String) return std::isnan(column.number(i));
  return column.is_null(i) || column.strings()[i].empty();
}

bool holds(const Condition& condition, const Column& column, std::size_t i) {
  const DType dtype = column.dtype();
  if (dtype == DType::String) {
    return condition.texts.empty() ||
           std::ranges::find(condition.texts, column.strings()[i]) != condition.texts.end();
  }
  const double value = column.number(i);
  const auto is_value = [&](double number) { return as_stored(number, dtype) == value; };
  if (value < as_stored(condition.low, dtype) || value > as_stored(condition.high, dtype)) {
    return false;
  }
  if (!condition.numbers.empty() && std::ranges::none_of(condition.numbers, is_value)) return false;
  if (condition.flag != Flag::Any && (value != 0) != (condition.flag == Flag::Set)) return false;
  if (condition.clear_bits == 0 && condition.set_bits == 0) return true;
  const std::int64_t bits = integer(column, i);
  return (bits & condition.clear_bits) == 0 && (bits & condition.set_bits) == condition.set_bits;
}

}  // namespace

bool Condition::is_about_numbers() const {
  return low != -kInfinity || high != kInfinity || !numbers.empty() || clear_bits != 0 ||
         set_bits != 0 || flag != Flag::Any;
}

bool Condition::takes_any_value() const {
  return !is_about_numbers() && texts.empty();
}

std::string Condition::text(std::string_view column) const {
  if (takes_any_value()) return fmt::format("{} has a value", column);
  std::vector<std::string> parts;
  if (low != -kInfinity && high != kInfinity) {
    parts.push_back(fmt::format("{} <= {} <= {}", low, column, high));
  } else if (low != -kInfinity) {
    parts.push_back(fmt::format("{} >= {}", column, low));
  } else if (high != kInfinity) {
    parts.push_back(fmt::format("{} <= {}", column, high));
  }
  if (!numbers.empty()) parts.push_back(fmt::format("{} = {}", column, fmt::join(numbers, ", ")));
  if (!texts.empty()) parts.push_back(fmt::format("{} = {}", column, fmt::join(texts, ", ")));
  if (flag != Flag::Any) {
    parts.push_back(fmt::format("{} {}", column, flag == Flag::Set ? "set" : "clear"));
  }
  if (clear_bits != 0) parts.push_back(fmt::format("{} without bits {}", column, clear_bits));
  if (set_bits != 0) parts.push_back(fmt::format("{} with bits {}", column, set_bits));
  return fmt::format("{}", fmt::join(parts, " and "));
}

std::string Condition::misfit(DType dtype) const {
  const bool is_text = dtype == DType::String;
  const bool is_float = dtype == DType::F32 || dtype == DType::F64;
  if (is_text && is_about_numbers()) return "it holds texts: use text = [...] alone";
  if (!is_text && !texts.empty()) return "it holds numbers: text = [...] is for columns of texts";
  if (is_float && (clear_bits != 0 || set_bits != 0)) return "it holds floats, which have no bits";
  if (is_float && flag != Flag::Any) return "it holds floats, not flags";
  return "";
}

Failed strike(const Condition& condition, const Column& column, std::vector<std::uint8_t>& mask) {
  Failed failed;
  for (std::size_t i = 0; i < mask.size(); ++i) {
    const bool is_there = !is_missing(column, i);
    if (is_there ? holds(condition, column, i) : condition.keeps_missing) continue;
    ++failed.epochs;
    failed.removed += mask[i];
    failed.missing += is_there ? 0 : 1;
    mask[i] = 0;
  }
  return failed;
}

}  // namespace epoch_quality
