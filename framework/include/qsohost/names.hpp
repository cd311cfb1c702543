// Names as users write them: case, surrounding blanks, and suggestions for unknown ones.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "qsohost/api.hpp"

namespace qsohost::inline v1 {

QSOHOST_API std::string lower_case(std::string_view text);  // of ASCII letters

// Without blanks, tabs and line ends around it.
inline std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  if (!text.empty() && text.front() > ' ' && text.back() > ' ') return text;  // mostly
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// Up to three of `names` that look most like `word`.
QSOHOST_API std::vector<std::string> nearest_names(std::string_view word,
                                                   const std::vector<std::string>& names);

// "; did you mean 'a' or 'b'?", or "; there are 'c', 'd'" if no name is similar; "" without names.
QSOHOST_API std::string did_you_mean(std::string_view word, const std::vector<std::string>& names);

}  // namespace qsohost::inline v1
