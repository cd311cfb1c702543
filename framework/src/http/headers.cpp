#include "http/headers.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace qsohost::inline v1 {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool is_kept_header(std::string_view name) {
  constexpr std::array<std::string_view, 5> kept{"content-type", "content-length", "location",
                                                 "retry-after", "date"};
  return std::ranges::find(kept, lower(name)) != kept.end();
}

}  // namespace qsohost::inline v1
