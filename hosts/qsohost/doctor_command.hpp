// qsohost doctor: asks the archives of a chain what they serve, and says what to change.
#pragma once

#include "arguments.hpp"
#include "qsohost/host/loader.hpp"

namespace qsohost::cli {

// kDone where nothing has to change, else kRunFailed.
int examine_archives(Plugins& plugins, const Arguments& arguments);

}  // namespace qsohost::cli
