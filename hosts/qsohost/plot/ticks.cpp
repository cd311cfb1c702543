#include "plot/ticks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plot/text.hpp"

namespace qsohost::plot {
namespace {

constexpr const char* kMinus = "\xE2\x88\x92";
constexpr const char* kTimes = "\xC3\x97";

// mantissa * 10^exponent, rounded once for small exponents: 3 * 10^-1 is 0.3.
double scaled(double mantissa, int exponent) {
  return exponent < 0 ? mantissa / std::pow(10, -exponent) : mantissa * std::pow(10, exponent);
}

std::string with_minus(std::string text) {
  if (text.starts_with('-')) text.replace(0, 1, kMinus);
  return text;
}

std::string fixed(double value, int decimals) {
  const std::string text = fmt::format("{:.{}f}", value, std::clamp(decimals, 0, 15));
  const bool is_zero = text.find_first_not_of("-0.") == std::string::npos;
  return with_minus(is_zero && text.starts_with('-') ? text.substr(1) : text);
}

struct Step {
  int mantissa = 1;  // 1, 2 or 5
  int exponent = 0;
  double value() const { return scaled(mantissa, exponent); }
};

Step step_above(double length) {
  Step step{1, static_cast<int>(std::floor(std::log10(length)))};
  for (const int mantissa : {1, 2, 5}) {
    step.mantissa = mantissa;
    if (step.value() >= length * (1 - 1e-9)) return step;
  }
  return {1, step.exponent + 1};
}

Ticks linear_ticks(double lo, double hi, int labels) {
  const Step step = step_above((hi - lo) / labels);
  Ticks all;
  const double largest = std::max(std::abs(lo), std::abs(hi));
  const int magnitude = static_cast<int>(std::floor(std::log10(largest)));
  // Long numbers that differ in their last digits (Julian dates) stay whole.
  const bool is_long = magnitude - step.exponent >= 3 && magnitude < 8 && magnitude > -3;
  if ((magnitude >= 6 || magnitude < -3) && !is_long) all.exponent = magnitude;
  const double slack = 1e-9 * (hi - lo);
  const double first = std::ceil((lo - slack) / step.value());
  for (double k = first; k * step.value() <= hi + slack; ++k) {
    const double value = scaled(k * step.mantissa, step.exponent);
    all.ticks.push_back({value, fixed(scaled(value, -all.exponent), all.exponent - step.exponent)});
  }
  const int parts = step.mantissa == 2 ? 4 : 5;
  const double part = step.value() / parts;
  for (double k = std::ceil((lo - slack) / part); k * part <= hi + slack; ++k) {
    if (std::fmod(k, parts) != 0) all.ticks.push_back({.value = k * part, .is_minor = true});
  }
  return all;
}

Tick decade_tick(int mantissa, int exponent, bool is_plain) {
  const double value = scaled(mantissa, exponent);
  if (is_plain) return {value, number(value)};
  const std::string text = mantissa == 1 ? "10" : fmt::format("{}{}10", mantissa, kTimes);
  return {value, text, with_minus(std::to_string(exponent))};
}

Ticks log_ticks(double lo, double hi, int labels) {
  const int first = static_cast<int>(std::floor(std::log10(lo)));
  const int last = static_cast<int>(std::ceil(std::log10(hi)));
  const auto inside = [&](double value) {
    return value >= lo * (1 - 1e-9) && value <= hi * (1 + 1e-9);
  };
  const auto count = [&](std::initializer_list<int> mantissas) {
    int n = 0;
    for (int e = first; e <= last; ++e) {
      for (const int m : mantissas) n += inside(scaled(m, e)) ? 1 : 0;
    }
    return n;
  };
  const int decades = count({1});
  const int fine = count({1, 2, 5});
  if (decades < 2 && fine < 2) return linear_ticks(lo, hi, labels);

  const bool is_fine = decades < 2 || (decades < 3 && fine <= labels);
  const int every = std::max(1, (decades + labels - 1) / labels);
  const bool is_plain = lo >= 9e-4 && hi <= 1.1e4;
  Ticks all;
  std::vector<Tick> minors;
  for (int e = first; e <= last; ++e) {
    for (int m = 1; m <= 9; ++m) {
      if (!inside(scaled(m, e))) continue;
      const bool is_major = m == 1 ? e % every == 0 : is_fine && (m == 2 || m == 5);
      if (is_major) {
        all.ticks.push_back(decade_tick(m, e, is_plain));
      } else if (every == 1 || (every <= 10 && m == 1)) {
        minors.push_back({.value = scaled(m, e), .is_minor = true});
      }
    }
  }
  all.ticks.insert(all.ticks.end(), minors.begin(), minors.end());
  return all;
}

}  // namespace

Ticks ticks(Scale scale, double lo, double hi, int labels) {
  labels = std::max(labels, 2);
  return scale == Scale::Log ? log_ticks(lo, hi, labels) : linear_ticks(lo, hi, labels);
}

}  // namespace qsohost::plot
