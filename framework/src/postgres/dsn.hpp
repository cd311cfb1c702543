// The connection string of an option.
#pragma once

#include <string>

namespace qsohost::inline v1 {

// One word as service=word; anything else as it is.
std::string full_dsn(const std::string& dsn);

}  // namespace qsohost::inline v1
