#include "qsohost/io/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <span>
#include <string>
#include <utility>

#include "qsohost/error.hpp"
#include "qsohost/names.hpp"
#include "table/unit_parser.hpp"

namespace qsohost::inline io_v1 {

namespace {

// A system of magnitudes changes their zero point, not their size.
constexpr auto kSystems = std::to_array<std::string_view>({"ab", "st", "vega"});

struct Spelling {
  std::string text;
  std::string_view system;  // of magnitudes, or ""
};

// "mag(AB)", "mmag (Vega)", "ABmag", "AB mag".
Spelling without_system(std::string_view text) {
  const std::string lowered = lower_case(text);
  for (const std::string_view system : kSystems) {
    if (lowered.ends_with(fmt::format("({})", system))) {
      return {std::string(trimmed(text.substr(0, text.size() - system.size() - 2))), system};
    }
    if (lowered.starts_with(system) && trimmed(lowered.substr(system.size())) == "mag") {
      return {"mag", system};
    }
  }
  return {std::string(text), ""};
}

std::optional<Unit> parse(const Spelling& spelling) {
  const std::optional<Unit> unit = parse_unit(spelling.text);
  if (unit && !spelling.system.empty() && unit->dimensions != kMagnitude) return std::nullopt;
  return unit;
}

bool states_no_unit(std::string_view text) {
  static constexpr std::array<std::string_view, 6> kNone{"", "-", "--", "---", "none", "null"};
  return std::ranges::find(kNone, lower_case(text)) != kNone.end();
}

bool is_hour(std::string_view text) {
  static constexpr std::array<std::string_view, 5> kHours{"h", "hr", "hrs", "hour", "hours"};
  return std::ranges::find(kHours, lower_case(text)) != kHours.end();
}

// The nearest double, which std::pow is not always; infinity beyond the range.
double power_of_ten(int n) {
  const std::string text = fmt::format("1e{}", n);
  double value = std::numeric_limits<double>::infinity();
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

std::optional<double> unit_factor(std::string_view from, std::string_view to) {
  from = trimmed(from);
  to = trimmed(to);
  if (from == to || states_no_unit(from) || states_no_unit(to)) return 1;
  const Spelling from_spelling = without_system(from);
  const Spelling to_spelling = without_system(to);
  if (!from_spelling.system.empty() && !to_spelling.system.empty() &&
      from_spelling.system != to_spelling.system) {
    return std::nullopt;
  }
  std::optional<Unit> a = parse(from_spelling);
  std::optional<Unit> b = parse(to_spelling);
  if (!a || !b) return std::nullopt;
  if (is_hour(from) && b->dimensions == kAngle) a = parse_unit("hourangle");
  if (is_hour(to) && a->dimensions == kAngle) b = parse_unit("hourangle");
  if (a->dimensions != b->dimensions) return std::nullopt;
  double above = a->up * b->down;
  double below = a->down * b->up;
  const int ten = a->ten - b->ten;
  (ten < 0 ? below : above) *= power_of_ten(std::abs(ten));
  const double factor = above / below;
  if (!std::isnormal(factor)) return std::nullopt;
  return factor;
}

namespace {

template <class T>
void scale(std::span<T> values, double factor) {
  for (T& value : values) value = static_cast<T>(value * factor);
}

Column scaled_integers(const Column& column, double factor) {
  ColumnInfo info = column.info();
  info.dtype = DType::F64;
  Column scaled(std::move(info));
  scaled.resize_unfilled(column.size());
  const std::span<double> values = scaled.values<double>();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = column.number(i) * factor;
  for (std::size_t i = 0; column.has_nulls() && i < values.size(); ++i) {
    if (column.is_null(i)) scaled.set_null(i);
  }
  return scaled;
}

}  // namespace

void convert_unit(Column& column, std::string_view to, std::string_view file,
                  std::string_view option) {
  if (states_no_unit(trimmed(to))) return;
  const std::optional<double> factor = unit_factor(column.info().unit, to);
  const DType dtype = column.dtype();
  const auto refuse = [&](std::string_view advice) {
    throw RunError(
        fmt::format("{}: column '{}' (option '{}') has the unit '{}', but {} is wanted{}", file,
                    column.name(), option, column.info().unit, to, advice));
  };
  if (!factor) refuse("; correct the unit or name another column");
  if (*factor != 1) {
    if (dtype == DType::String || dtype == DType::Bool) {
      refuse(
          fmt::format(", and {} values cannot be converted; store numbers or name another column",
                      name_of(dtype)));
    }
    if (dtype == DType::F64) {
      scale(column.values<double>(), *factor);
    } else if (dtype == DType::F32) {
      scale(column.values<float>(), *factor);
    } else {
      column = scaled_integers(column, *factor);
    }
  }
  column.set_unit(std::string(to));
}

}  // namespace qsohost::inline io_v1
