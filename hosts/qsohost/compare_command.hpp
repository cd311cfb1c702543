// `qsohost compare`: several fitters on the same light curves.
#pragma once

#include <string>

#include "arguments.hpp"
#include "compare/compare.hpp"
#include "qsohost/host/loader.hpp"

namespace qsohost::cli {

int compare_fitters(Plugins& plugins, const Arguments& arguments);  // returns the exit code

// The closing text: fitters with times, failures and flags, then pairs with differences, then
// notes.
std::string comparison_text(const CompareReport& report);

}  // namespace qsohost::cli
