// UTF-8, character by character.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace qsohost::inline v1 {

struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 0;
};

// The first character of a text that is not empty; none if its bytes are not UTF-8 (RFC 3629:
// shortest form, no surrogates, up to U+10FFFF).
std::optional<Character> first_character(std::string_view text);

}  // namespace qsohost::inline v1
