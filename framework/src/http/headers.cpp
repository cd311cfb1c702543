#include "http/headers.hpp"

#include <algorithm>
#include <array>

#include "qsohost/names.hpp"

namespace qsohost::inline v1 {

bool is_kept_header(std::string_view name) {
  constexpr std::array<std::string_view, 5> kept{"content-type", "content-length", "location",
                                                 "retry-after", "date"};
  return std::ranges::find(kept, lower_case(name)) != kept.end();
}

}  // namespace qsohost::inline v1
