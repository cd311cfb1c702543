// What earlier runs in a run directory left, and what of it must be done again.
#pragma once

#include <cstdint>
#include <set>

#include "qsohost/host/run.hpp"
#include "run/run_directory.hpp"

namespace qsohost::inline v1 {

// Batches with an object that a fetcher could not settle; and the batches that no run will redo.
std::set<std::uint64_t> unsettled_batches(const Chain& chain, const RunDb& db);
std::set<std::uint64_t> settled_batches(const Chain& chain, const RunDb& db);

// True if there is nothing to do; the report then says so.
bool is_done_already(const Chain& chain, RunDirectory& directory, RunReport& report);

// Reopens what must be done again, and accepts changed inputs. False if the user stopped it.
bool prepare(Chain& chain, const RunOptions& options, RunDirectory& directory,
             const RunFacts& facts);

}  // namespace qsohost::inline v1
