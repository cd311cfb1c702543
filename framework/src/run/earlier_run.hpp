// What earlier runs in a run directory have left, and what of it is to be done again.
#pragma once

#include <cstdint>
#include <set>

#include "qsohost/host/run.hpp"
#include "run/run_directory.hpp"

namespace qsohost::inline v1 {

// Batches with an object that a fetcher could not settle; and those that no run will do again.
std::set<std::uint64_t> unsettled_batches(const Chain& chain, const RunDb& db);
std::set<std::uint64_t> settled_batches(const Chain& chain, const RunDb& db);

// True if there is nothing to be done; the report then says so.
bool is_done_already(const Chain& chain, RunDirectory& directory, RunReport& report);

// Reopens what is to be done again, and accepts inputs that have changed. False if the user has
// stopped it.
bool prepare(Chain& chain, const RunOptions& options, RunDirectory& directory,
             const RunFacts& facts);

}  // namespace qsohost::inline v1
