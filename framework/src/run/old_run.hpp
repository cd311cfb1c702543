// What a ledger tells of a finished run that is to be merged. No file stays open: there may be
// thousands of shards.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "qsohost/host/run.hpp"
#include "run/run_db.hpp"

namespace qsohost::inline v1 {

struct OldRun {
  std::filesystem::path folder;
  std::vector<std::string> chain;  // the effective chain, without what part of the source it did
  std::optional<Shard> shard;
  std::vector<Input> inputs;
  std::map<std::uint64_t, LedgerBatch> batches;  // by ordinal
  std::optional<std::uint64_t> source_size;      // number of objects in the source, if it is known
  std::uint64_t objects = 0;                     // committed
  bool is_by_identifier = false;                 // it went on with changed inputs
  std::string state;                             // differs once something was done to the run
};

// Throws UsageError or RunError for a folder without a finished run, or with one in use.
OldRun read_old_run(const std::filesystem::path& folder);
// Throws RunError if something was done to it since.
void require_untouched(const OldRun& run);

// Throw RunError, which says what is missing or does not fit, for runs that are not together the
// whole source (`partial`: the last shards may be missing), each object in one of them.
void require_whole(const std::vector<OldRun>& runs, bool partial);

// A batch of one of the runs.
struct Piece {
  std::uint64_t ordinal = 0;
  LedgerBatch batch;
  const OldRun* run = nullptr;
};
// The batches of all runs, in the order of the source.
std::vector<Piece> pieces_of(const std::vector<OldRun>& runs);

}  // namespace qsohost::inline v1
