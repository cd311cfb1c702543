#include <charconv>
#include <system_error>

#include "text/text_rows.hpp"

namespace qsohost::inline v1 {

namespace {

template <class T, class... Format>
std::optional<T> parse(std::string_view text, Format... format) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, format...);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

// from_chars takes no "+".
std::string_view number_text(std::string_view text) {
  text = trimmed(text);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  return text;
}

}  // namespace

std::optional<double> parse_double(std::string_view text) {
  return parse<double>(number_text(text));
}

std::optional<float> parse_float(std::string_view text) {
  return parse<float>(number_text(text));
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
  text = trimmed(text);
  return text.empty() || text == "null";
}

}  // namespace qsohost::inline v1
