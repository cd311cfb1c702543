// `qsohost status RUN_DIR`
#pragma once

#include "arguments.hpp"

namespace qsohost::cli {

// Prints the progress of a run and what can be done, or (--failed, --not-found, --matched) its
// objects, one per line: source_id, stage, state, attempts, time, and reason or match, separated by
// tabs.
int show_status(const Arguments& arguments);

}  // namespace qsohost::cli
