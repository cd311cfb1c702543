// `qsohost --chain FILE ...`: check, draw or run a chain.
#pragma once

#include "arguments.hpp"
#include "qsohost/loader.hpp"

namespace qsohost::cli {

// Each returns the program's exit code. `arguments.command` says which of the three to do.
int merge(Plugins& plugins, const Arguments& arguments);
int work_on_chain(Plugins& plugins, const Arguments& arguments);

}  // namespace qsohost::cli
