// Resumes a run whose inputs have changed: objects are identified by their identifiers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "qsohost/host/chain.hpp"
#include "run/run_directory.hpp"
#include "run/source_reader.hpp"

namespace qsohost::inline v1 {

// Updates the ledger for the new inputs. If all batches are unchanged and in place, the run goes on
// by position, else by identifier: batches to be done again are forgotten if the source still has
// all their objects, and kept as they were if not. Returns a message about objects that the source
// no longer has; none if the user stopped it.
std::optional<std::string> accept_changed_inputs(Chain& chain, const RunOptions& options,
                                                 RunDirectory& directory, const RunFacts& facts);

// What is done and will not be done again.
DoneBefore done_before(const RunDb& db);

}  // namespace qsohost::inline v1
