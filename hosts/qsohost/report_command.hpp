// `qsohost report RUN_DIR [RUN_DIR]`: a page to look at.
#pragma once

#include "arguments.hpp"

namespace qsohost::cli {

int write_report(const Arguments& arguments);  // returns the exit code

}  // namespace qsohost::cli
