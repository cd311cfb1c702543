// Texts as strings of TOML.
#pragma once

#include <string>
#include <string_view>

namespace qsohost::inline v1 {

// With quotes. TOML is UTF-8, but the name of a file may be any bytes: one that is not UTF-8
// becomes the escape of a character that nothing else uses, U+10FF80 to U+10FFFF.
std::string toml_string(std::string_view text);

// The text, from what a parser has made of toml_string().
std::string from_toml_string(std::string_view parsed);

}  // namespace qsohost::inline v1
