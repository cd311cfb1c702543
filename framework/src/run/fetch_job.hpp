// A run that sends the requests of a chain and stores the responses, without computing anything
// from them: --fetch-only.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

#include "qsohost/host/chain.hpp"
#include "qsohost/host/run.hpp"
#include "run/run_db.hpp"

namespace qsohost::inline v1 {

// Throws UsageError for options that do not go together.
void check_fetch_options(const Chain& chain, const RunOptions& options);

// How many stages of the chain it runs: up to the last that sends requests; 0 if none does.
std::size_t stages_to_fetch(const Chain& chain);

// What it has done in this run: its batches are not committed, so the ledger does not tell.
class FetchTotals {
 public:
  void add(const BatchRecord& batch);  // any thread
  void fill(RunReport& report) const;  // added to the numbers of its stages

 private:
  mutable std::mutex mutex_;
  std::vector<StageTotals> stages_;
  std::vector<std::string> reasons_;  // of the first objects that failed
};

}  // namespace qsohost::inline v1
