#include "base/utf8.hpp"

namespace qsohost::inline v1 {

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

}  // namespace qsohost::inline v1
