// SHA-256 in base64, as a content security policy names a script (FIPS 180-4, RFC 4648).
#pragma once

#include <string>
#include <string_view>

namespace qsohost::cli {

std::string sha256_base64(std::string_view text);

}  // namespace qsohost::cli
