// The response headers that plugins see and that are stored. A short list, since other headers can
// hold what must not be in a file that is passed on: cookies, tokens.
#pragma once

#include <string>
#include <string_view>

namespace qsohost::inline v1 {

// Ignores case.
bool is_kept_header(std::string_view name);

}  // namespace qsohost::inline v1
