#include "qsohost/host/printable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace qsohost::inline v1 {

namespace {

bool is_plain(char c) {
  return (c >= ' ' && c <= '~') || c == '\n' || c == '\t';
}

struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 0;
};

// The first character of a text; none if its bytes are not UTF-8 (RFC 3629: shortest form, no
// surrogates, up to U+10FFFF).
std::optional<Character> first_character(std::string_view text) {
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const auto lead = static_cast<unsigned char>(text.front());
  Character out{lead, 1};
  if (lead < 0x80) return out;
  if (lead < 0xC2 || lead > 0xF4) return std::nullopt;
  out.bytes = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (text.size() < out.bytes) return std::nullopt;
  out.code = lead & (0x7FU >> out.bytes);
  for (const char c : text.substr(1, out.bytes - 1)) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0U) != 0x80) return std::nullopt;
    out.code = out.code << 6 | (byte & 0x3FU);
  }
  const bool is_surrogate = out.code >= 0xD800 && out.code <= 0xDFFF;
  if (out.code < kLeast[out.bytes] || out.code > 0x10FFFF || is_surrogate) return std::nullopt;
  return out;
}

bool is_harmful(std::uint32_t code) {
  struct Range {
    std::uint32_t first, last;
  };
  // C0, DEL and C1; Arabic letter mark; marks of direction; separators of lines and paragraphs,
  // embeddings and overrides; isolates; byte order mark.
  constexpr Range kRanges[] = {{0x00, 0x1F},     {0x7F, 0x9F},     {0x61C, 0x61C},
                               {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2066, 0x2069},
                               {0xFEFF, 0xFEFF}};
  if (code == '\n' || code == '\t') return false;
  return std::ranges::any_of(kRanges,
                             [&](const Range& r) { return code >= r.first && code <= r.last; });
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto plain = std::ranges::find_if_not(text, is_plain);
    out.append(text.begin(), plain);
    text.remove_prefix(static_cast<std::size_t>(plain - text.begin()));
    if (text.empty()) break;
    const auto character = first_character(text);
    const std::size_t bytes = character ? character->bytes : 1;
    if (!character) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    } else if (is_harmful(character->code)) {
      out += fmt::format("\\u{:04x}", character->code);
    } else {
      out += text.substr(0, bytes);
    }
    text.remove_prefix(bytes);
  }
  return out;
}

}  // namespace qsohost::inline v1
