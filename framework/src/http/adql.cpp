#include "qsohost/adql.hpp"

#include <algorithm>
#include <cctype>

namespace qsohost::inline v1 {

namespace {

std::string in(char quote, std::string_view text) {
  std::string out(1, quote);
  for (const char c : text) out += c == quote ? std::string(2, quote) : std::string(1, c);
  return out + quote;
}

// The length of the identifier that the text begins with; 0: it begins with none.
std::size_t identifier_length(std::string_view text) {
  const auto is_part = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  if (text.empty()) return 0;
  if (text.front() != '"') {
    if (std::isalpha(static_cast<unsigned char>(text.front())) == 0) return 0;
    return static_cast<std::size_t>(std::ranges::find_if_not(text, is_part) - text.begin());
  }
  for (std::size_t at = 1; (at = text.find('"', at)) != std::string_view::npos; at += 2) {
    const bool is_doubled = text.substr(at + 1).starts_with('"');
    if (!is_doubled) return at == 1 ? 0 : at + 1;
  }
  return 0;
}

bool is_qualified_name(std::string_view text) {
  while (true) {
    const std::size_t length = identifier_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
    if (text.empty()) return true;
    if (text.front() != '.') return false;
    text.remove_prefix(1);
  }
}

}  // namespace

std::string adql_name(std::string_view name) {
  return is_qualified_name(name) ? std::string(name) : adql_identifier(name);
}

std::string adql_identifier(std::string_view name) {
  return in('"', name);
}

std::string adql_literal(std::string_view text) {
  return in('\'', text);
}

}  // namespace qsohost::inline v1
