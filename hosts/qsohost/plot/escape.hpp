// Text of users in markup.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace qsohost::plot {

// For element content and quoted attributes, in HTML as in XML. Bytes that are not UTF-8, control
// characters (but for tab and newline) and characters that XML forbids become U+FFFD.
std::string html_escaped(std::string_view text);

// The characters of a text, one string each, after the same replacements but not escaped.
std::vector<std::string> characters(std::string_view text);

}  // namespace qsohost::plot
