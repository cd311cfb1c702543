// The connection string of an option.
#pragma once

#include <string>

namespace qsohost::inline v1 {

// A single word becomes service=word; anything else is unchanged.
std::string full_dsn(const std::string& dsn);

}  // namespace qsohost::inline v1
