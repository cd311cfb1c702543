#include "qsohost/host/printable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "base/utf8.hpp"

namespace qsohost::inline v1 {

namespace {

bool is_plain(char c) {
  return (c >= ' ' && c <= '~') || c == '\n' || c == '\t';
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
