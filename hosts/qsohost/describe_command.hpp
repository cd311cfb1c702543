// `qsohost describe FILE`
#pragma once

#include <string>

#include "arguments.hpp"

namespace qsohost::cli {

// What the file holds: tables, columns, first rows, and an entry for a chain. Throws RunError if it
// cannot be read.
std::string describe(const Arguments& arguments);

}  // namespace qsohost::cli
