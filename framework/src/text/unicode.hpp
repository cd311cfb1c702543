// UTF-8 in text tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qsohost::inline io_v1 {

bool is_utf8(std::string_view text);
// As it is if it is UTF-8; else taken as ISO-8859-1.
std::string utf8_of(std::string_view text);

// Adds a character; what is none (half of a surrogate pair) becomes U+FFFD.
void append_utf8(std::uint32_t code, std::string& out);
// A character's code as escapes give it: exactly so many digits.
std::optional<std::uint32_t> hexadecimal(std::string_view digits, std::size_t count);

// The beginning of a cell on one line, for messages.
std::string shown(std::string_view cell);

}  // namespace qsohost::inline io_v1
