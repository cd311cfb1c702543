#include "run/changed_inputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/interrupted.hpp"
#include "run/http_connection.hpp"
#include "run/open_chain.hpp"

namespace qsohost::inline v1 {

namespace {

struct SourceNow {
  IdCounts ids;              // of all its objects
  std::size_t in_place = 0;  // batches of the ledger whose objects are at the same position
};

SourceNow read_source(Chain& chain, const RunOptions& options, RunDirectory& directory,
                      const std::map<std::uint64_t, LedgerBatch>& batches,
                      const std::function<bool()>& stopping) {
  const HttpConnection http(chain, options, ledger_file(directory.folder()), {});
  const OpenChain source(chain, options, &directory, 1);
  SourceReader reader(chain.stages().front(),
                      {chain.settings().batch_rows, chain.settings().batch_megabytes << 20,
                       source.part(), stopping},
                      {});
  SourceNow now;
  while (const auto next = reader.next()) {
    add_ids(next->record.ids, now.ids);
    const auto before = batches.find(next->record.ordinal);
    if (before == batches.end()) continue;
    now.in_place += before->second.digest == digest_of(next->record.ids) ? 1 : 0;
  }
  return now;
}

// What the source provides now; none if the user stopped it.
std::optional<SourceNow> look_at_source(Chain& chain, const RunOptions& options,
                                        RunDirectory& directory,
                                        const std::map<std::uint64_t, LedgerBatch>& batches) {
  const auto stopping = [&] { return options.interrupts != nullptr && *options.interrupts > 0; };
  try {
    SourceNow now = read_source(chain, options, directory, batches, stopping);
    if (!stopping()) return now;
  } catch (const Interrupted&) {
    // As if it had been stopped between two batches.
  }
  return std::nullopt;
}

IdCounts counted(const std::string& ids) {
  IdCounts counts;
  add_ids(ids, counts);
  return counts;
}

// How many objects of `batch` are not among `all`.
std::uint64_t missing_from(const IdCounts& all, const IdCounts& batch) {
  std::uint64_t missing = 0;
  for (const auto& [id, n] : batch) {
    const auto there = all.find(id);
    missing += n - (there == all.end() ? 0 : std::min(there->second, n));
  }
  return missing;
}

void take_out(const IdCounts& batch, IdCounts& all) {
  for (const auto& [id, n] : batch) {
    if (const auto there = all.find(id); there != all.end()) {
      there->second -= std::min(there->second, n);
    }
  }
}

}  // namespace

std::optional<std::string> accept_changed_inputs(Chain& chain, const RunOptions& options,
                                                 RunDirectory& directory, const RunFacts& facts) {
  RunDb& db = directory.db();
  const auto batches = db.batches();
  std::optional<SourceNow> now = look_at_source(chain, options, directory, batches);
  if (!now) return std::nullopt;
  if (now->in_place == batches.size() && !db.meta("by identifier")) {
    db.set_inputs(facts.inputs);
    return "all objects that are done are where they were; the run goes on";
  }
  std::uint64_t gone = 0;
  std::set<std::uint64_t> dropped;
  std::set<std::uint64_t> kept;
  // Committed batches first: among objects that share an identifier, theirs are done.
  for (const bool committed : {true, false}) {
    for (const auto& [ordinal, batch] : batches) {
      if (batch.is_committed != committed) continue;
      const IdCounts ids = counted(db.ids_of(ordinal));
      const std::uint64_t missing = missing_from(now->ids, ids);
      gone += missing;
      if (!committed && missing == 0) {
        dropped.insert(ordinal);
        continue;
      }
      if (!committed) kept.insert(ordinal);
      take_out(ids, now->ids);
    }
  }
  db.accept_inputs(facts.inputs, dropped, kept);
  std::string words = "the inputs have changed; the run goes on with the objects that are not done";
  if (gone > 0) {
    words += fmt::format("; {} objects that are done are in no input any more, and stay", gone);
  }
  return words;
}

DoneBefore done_before(const RunDb& db) {
  DoneBefore done;
  done.batches = db.batches();
  done.by_identifier_from = db.number("by identifier");
  for (const auto& [ordinal, batch] : done.batches) {
    if (!batch.is_committed) continue;
    done.objects += batch.objects;
    if (done.by_identifier_from) add_ids(db.ids_of(ordinal), done.ids);
  }
  return done;
}

}  // namespace qsohost::inline v1
