// What a run does at this moment, for SIGUSR1.
#pragma once

#include <string>

#include "qsohost/host/run.hpp"

namespace qsohost::cli {

// Batches, objects and rates of each stage, calls that have not returned, what fetchers wait for,
// and how much may be under way at a time.
std::string live_table(const Progress& progress);

}  // namespace qsohost::cli
