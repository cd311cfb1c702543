#include "base/toml_string.hpp"

#include <fmt/format.h>

#include <cstdint>

#include "base/utf8.hpp"

namespace qsohost::inline v1 {

namespace {

constexpr std::uint32_t kByte = 0x10FF00;  // + the byte
constexpr std::uint32_t kFirstByte = 0x80;

bool is_control(std::uint32_t code) {
  return (code < ' ' && code != '\t') || code == 0x7F;
}

}  // namespace

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const auto character = first_character(text);
    const std::size_t bytes = character ? character->bytes : 1;
    const char first = text.front();
    if (!character) {
      out += fmt::format("\\U{:08X}", kByte + static_cast<unsigned char>(first));
    } else if (first == '\n') {
      out += "\\n";
    } else if (is_control(character->code)) {
      out += fmt::format("\\u{:04X}", character->code);
    } else {
      if (first == '"' || first == '\\') out += '\\';
      out += text.substr(0, bytes);
    }
    text.remove_prefix(bytes);
  }
  return out + '"';
}

std::string from_toml_string(std::string_view parsed) {
  std::string out;
  while (!parsed.empty()) {
    const auto character = first_character(parsed);
    const std::size_t bytes = character ? character->bytes : 1;
    if (character && character->code >= kByte + kFirstByte) {
      out += static_cast<char>(character->code - kByte);
    } else {
      out += parsed.substr(0, bytes);
    }
    parsed.remove_prefix(bytes);
  }
  return out;
}

}  // namespace qsohost::inline v1
