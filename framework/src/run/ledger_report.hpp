// What the ledger of a run says about its stages.
#pragma once

#include <cstddef>
#include <string>

#include "qsohost/host/run.hpp"
#include "run/run_db.hpp"

namespace qsohost::inline v1 {

// Stores the numbers of Source::counts(); those that are missing keep their value.
void store_source_counts(const Counts& counts, RunDb& db);

// Totals of all committed batches, and the stored numbers of the source; times stay zero.
StageReport stage_report(const std::string& label, Role role, std::size_t index, const RunDb& db);

// The first reasons of objects that failed or were bad.
void add_notes(const StageReport& stage, std::size_t index, const RunDb& db, RunReport& report);

// What the ledger says about all stages of a chain.
void fill_report(const Chain& chain, const RunDb& db, RunReport& report);

// True if there are objects that --retry-failed would do again.
bool has_unsettled(const RunReport& report);

}  // namespace qsohost::inline v1
