// `qsohost --chain FILE ...`: check, draw or run a chain.
#pragma once

#include <functional>

#include "arguments.hpp"
#include "qsohost/host/loader.hpp"

namespace qsohost::cli {

// Each returns the program's exit code. `arguments.command` says which of the three to do.
int merge(Plugins& plugins, const Arguments& arguments);
int work_on_chain(Plugins& plugins, const Arguments& arguments);

// Calls `work` with these options, and meanwhile Ctrl-C, progress and log go the usual ways;
// `least`: see Arguments::log_level.
void watched(RunOptions options, LogLevel least,
             const std::function<void(const RunOptions&)>& work);

}  // namespace qsohost::cli
