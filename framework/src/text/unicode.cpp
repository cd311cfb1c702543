#include "text/unicode.hpp"

#include <array>
#include <charconv>

#include "qsohost/names.hpp"

namespace qsohost::inline io_v1 {

namespace {

constexpr std::uint32_t kLastCode = 0x10FFFF;

bool is_surrogate(std::uint32_t code) {
  return code >= 0xD800 && code < 0xE000;
}

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80;
}

// Bytes of the UTF-8 character that a text begins with; 0 if it begins with none.
std::size_t utf8_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 0;
  if (length == 0 || length > text.size()) return 0;
  std::uint32_t code = first & (0x7FU >> length);
  for (const char c : text.substr(1, length - 1)) {
    if (!continues(c)) return 0;
    code = (code << 6U) | (static_cast<unsigned char>(c) & 0x3FU);
  }
  constexpr std::array<std::uint32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  const bool is_character = code >= kLeast[length] && code <= kLastCode && !is_surrogate(code);
  return is_character ? length : 0;
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string utf8_of(std::string_view text) {
  if (is_utf8(text)) return std::string(text);
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xC0U | (byte >> 6U));
      out += static_cast<char>(0x80U | (byte & 0x3FU));
    }
  }
  return out;
}

void append_utf8(std::uint32_t code, std::string& out) {
  constexpr std::uint32_t kReplacement = 0xFFFD;
  if (code > kLastCode || is_surrogate(code)) code = kReplacement;
  const auto add = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  const auto add_rest = [&](unsigned shift) { add(0x80U | ((code >> shift) & 0x3FU)); };
  if (code < 0x80) return add(code);
  if (code < 0x800) {
    add(0xC0U | (code >> 6U));
    return add_rest(0);
  }
  if (code < 0x10000) {
    add(0xE0U | (code >> 12U));
  } else {
    add(0xF0U | (code >> 18U));
    add_rest(12);
  }
  add_rest(6);
  add_rest(0);
}

std::optional<std::uint32_t> hexadecimal(std::string_view digits, std::size_t count) {
  std::uint32_t code = 0;
  const auto [stop, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
  const bool is_whole = digits.size() == count && stop == digits.data() + count;
  return is_whole && error == std::errc{} ? std::optional(code) : std::nullopt;
}

std::string shown(std::string_view cell) {
  constexpr std::size_t kLongest = 60;
  std::string out = utf8_of(trimmed(cell));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  if (out.size() <= kLongest) return out;
  std::size_t end = kLongest;
  while (continues(out[end])) --end;
  return out.substr(0, end) + "...";
}

}  // namespace qsohost::inline io_v1
