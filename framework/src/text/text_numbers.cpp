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

template <class T, class... Format>
std::optional<T> parse(std::string_view text, Format... format) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, format...);
  if (stop != end) return std::nullopt;
  if (error == std::errc{}) return value;
  if constexpr (std::is_floating_point_v<T>) {
    if (error == std::errc::result_out_of_range) return out_of_range<T>(text);
  }
  return std::nullopt;
}

// from_chars rejects a leading "+".
std::string_view number_text(std::string_view text) {
  text = trimmed(text);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  return text;
}

template <class T>
std::optional<T> parse_floating(std::string_view text) {
  constexpr std::size_t kLongest = 64;  // of the numbers that Fortran writes
  text = number_text(text);
  if (const auto value = parse<T>(text)) return value;
  const std::size_t exponent = text.find_first_of("dD");
  if (exponent == std::string_view::npos || text.size() > kLongest) return std::nullopt;
  std::string number(text);
  number[exponent] = 'e';
  return parse<T>(number);
}

}  // namespace

std::optional<double> parse_double(std::string_view text) {
  return parse_floating<double>(text);
}

std::optional<float> parse_float(std::string_view text) {
  return parse_floating<float>(text);
}

std::optional<std::int64_t> parse_int(std::string_view text) {
  text = number_text(text);
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
    if (text[2] == '-') return std::nullopt;
    return parse<std::int64_t>(text.substr(2), 16);
  }
  return parse<std::int64_t>(text);
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
