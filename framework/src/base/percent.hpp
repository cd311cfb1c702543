// Percent-encoding of URLs (RFC 3986, 2.1).
#pragma once

#include <string>
#include <string_view>

namespace qsohost::inline v1 {

// Only letters, digits, '-', '.', '_' and '~' stay as they are.
std::string percent_encoded(std::string_view text);

}  // namespace qsohost::inline v1
