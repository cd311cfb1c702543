// `qsohost submit`
#pragma once

#include "arguments.hpp"
#include "qsohost/host/loader.hpp"

namespace qsohost::cli {

// Writes manifest and scripts and submits them, or what is left of them (--resume).
int submit_shards(Plugins& plugins, const Arguments& arguments);

}  // namespace qsohost::cli
