// qsohost status RUN_DIR
#pragma once

#include "arguments.hpp"

namespace qsohost::cli {

// Prints how far a run is and what can be done, or (--failed, --not-found, --matched) its objects,
// a line each: source_id, stage, state, attempts, when, and why or what was found; tabs between.
int show_status(const Arguments& arguments);

}  // namespace qsohost::cli
