// Going on with a run whose inputs have changed: objects are told apart by their identifiers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "qsohost/host/chain.hpp"
#include "run/run_directory.hpp"
#include "run/source_reader.hpp"

namespace qsohost::inline v1 {

// Makes the ledger one of the new inputs. Where all batches are as they were and where they were it
// goes on by position, otherwise by identifier: batches that are to be done again are forgotten if
// the source still gives all their objects, and stay as they were if not. Returns what there is to
// say about objects that the source does not give any more; none if the user stopped it.
std::optional<std::string> accept_changed_inputs(Chain& chain, const RunOptions& options,
                                                 RunDirectory& directory, const RunFacts& facts);

// What is done and is not done again.
DoneBefore done_before(const RunDb& db);

}  // namespace qsohost::inline v1
