// `qsohost --chain FILE ...`: check, draw or run a chain.
#pragma once

#include <functional>

#include "arguments.hpp"
#include "qsohost/host/loader.hpp"

namespace qsohost::cli {

// Each returns the program's exit code. `arguments.command` selects which of the three.
int merge(Plugins& plugins, const Arguments& arguments);
int work_on_chain(Plugins& plugins, const Arguments& arguments);

// Calls `work` with these options, with the usual handling of Ctrl-C, SIGUSR1, progress and log.
RunReport watched(RunOptions options, const Arguments& arguments,
                  const std::function<RunReport(const RunOptions&)>& work);

}  // namespace qsohost::cli
