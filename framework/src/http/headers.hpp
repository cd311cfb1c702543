// The headers of answers that plugins see and that are stored. Of a short list, since others can
// hold what must not stand in a file that is passed on: cookies, tokens.
#pragma once

#include <string>
#include <string_view>

namespace qsohost::inline v1 {

// Whatever the case of its letters.
bool is_kept_header(std::string_view name);

}  // namespace qsohost::inline v1
