// What the executor needs to know of the options of a run.
#pragma once

#include <cstddef>

#include "qsohost/host/chain.hpp"
#include "qsohost/host/run.hpp"
#include "run/executor.hpp"

namespace qsohost::inline v1 {

// The first so many stages of the chain take part: all, but of a fetch job.
std::size_t stages_to_run(const Chain& chain, const RunOptions& options);

// Threads, lanes and batches, and what to do at the end of a dry run. Throws UsageError for more
// than the most that is allowed.
Executor::Settings executor_settings(const Chain& chain, const RunOptions& options);

}  // namespace qsohost::inline v1
