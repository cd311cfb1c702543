#include <algorithm>
#include <array>
#include <charconv>
#include <clocale>
#include <cstdlib>
#include <system_error>
#include <type_traits>

#include "text/text_rows.hpp"

namespace qsohost::inline io_v1 {

namespace {

// A number that is out of range for from_chars, which does not say whether it is too small or too
// large. Uses the C locale, whatever the process has set.
template <class T>
T out_of_range(std::string_view number) {
  static const locale_t c_locale = ::newlocale(LC_ALL_MASK, "C", nullptr);
  const std::string text(number);
  if constexpr (std::is_same_v<T, float>)
    return ::strtof_l(text.c_str(), nullptr, c_locale);
  else
    return ::strtod_l(text.c_str(), nullptr, c_locale);
}

// False for what is no number of the type.
template <class T, class... Format>
bool parse(std::string_view text, T& value, Format... format) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, format...);
  if (stop != end) return false;
  if (error == std::errc{}) return true;
  if constexpr (std::is_floating_point_v<T>) {
    if (error == std::errc::result_out_of_range) {
      value = out_of_range<T>(text);
      return true;
    }
  }
  return false;
}

// from_chars rejects a leading "+".
std::string_view number_text(std::string_view text) {
  text = trimmed(text);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  return text;
}

template <class T>
bool parse_floating(std::string_view text, T& value) {
  constexpr std::size_t kLongest = 64;  // of the numbers that Fortran writes
  text = number_text(text);
  if (parse(text, value)) return true;
  const std::size_t exponent = text.find_first_of("dD");
  if (exponent == std::string_view::npos || text.size() > kLongest) return false;
  std::string number(text);
  number[exponent] = 'e';
  return parse(std::string_view(number), value);
}

}  // namespace

std::optional<double> parse_double(std::string_view text) {
  double value = 0;
  if (parse_floating(text, value)) return value;
  return std::nullopt;
}

std::optional<float> parse_float(std::string_view text) {
  float value = 0;
  if (parse_floating(text, value)) return value;
  return std::nullopt;
}

std::optional<std::int64_t> parse_int(std::string_view text) {
  text = number_text(text);
  std::int64_t value = 0;
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
    if (text[2] == '-' || !parse(text.substr(2), value, 16)) return std::nullopt;
    return value;
  }
  if (parse(text, value)) return value;
  return std::nullopt;
}

bool is_missing(std::string_view text) {
  constexpr std::array<std::string_view, 9> kWords{"null", "na",   "n/a",  "--", "none",
                                                   "nan",  "-nan", "+nan", "\\n"};
  text = trimmed(text);
  constexpr std::size_t kLongest = 4;
  if (text.empty() || text.size() > kLongest) return text.empty();
  return std::ranges::find(kWords, lower_case(text)) != kWords.end();
}

}  // namespace qsohost::inline io_v1
