#include "run/earlier_run.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "run/changed_inputs.hpp"
#include "run/ledger_report.hpp"
#include "run/product_files.hpp"

namespace qsohost::inline v1 {

namespace {

namespace fs = std::filesystem;

// True if every sink still has its folder of chunks; the chunks of a sink are removed all at once.
bool has_chunks(const Chain& chain, const RunDirectory& directory) {
  return std::ranges::all_of(chain.stages(), [&](const ChainStage& stage) {
    return stage.offer.role != Role::Sink ||
           fs::exists(chunk_folder(directory.folder(), stage.label));
  });
}

}  // namespace

std::set<std::uint64_t> unsettled_batches(const Chain& chain, const RunDb& db) {
  std::set<std::uint64_t> ordinals;
  for (std::size_t i = 0; i < chain.stages().size(); ++i) {
    if (chain.stages()[i].offer.role == Role::Fetcher) ordinals.merge(db.unsettled(i));
  }
  return ordinals;
}

std::set<std::uint64_t> settled_batches(const Chain& chain, const RunDb& db) {
  std::set<std::uint64_t> settled;
  for (const auto& [ordinal, batch] : db.batches()) {
    if (batch.is_committed) settled.insert(ordinal);
  }
  for (const std::uint64_t ordinal : unsettled_batches(chain, db)) settled.erase(ordinal);
  return settled;
}

bool is_done_already(const Chain& chain, RunDirectory& directory, RunReport& report) {
  RunDb& db = directory.db();
  if (!db.is_finished()) return false;
  const ProductFiles products(directory.folder(), db);
  const std::vector<fs::path> missing = products.missing();
  if (missing.empty() && !directory.has_changed_inputs()) {
    report.products = products.paths();
    fill_report(chain, db, report);
    report.end = has_unsettled(report) ? RunEnd::Unsettled : RunEnd::Done;
    report.notes.insert(report.notes.begin(), "this run was finished already; nothing was done");
    for (const fs::path& product : products.changed()) {
      report.notes.push_back(
          fmt::format("{} was changed after the run had made it", product.string()));
    }
    return true;
  }
  if (has_chunks(chain, directory)) {
    products.require_all_ours();
    db.reopen({});
    return false;
  }
  const std::string what = missing.empty() ? std::string("the inputs have changed")
                                           : fmt::format("{} is gone", missing.front().string());
  fill_report(chain, db, report);
  report.error = fmt::format(
      "the run in {} is done, but {}, and the chunks of its batches are gone (keep_chunks = true "
      "keeps them); put it back, or do the run again (--restart)",
      directory.folder().string(), what);
  report.end = RunEnd::Failed;
  return true;
}

bool prepare(Chain& chain, const RunOptions& options, RunDirectory& directory,
             const RunFacts& facts) {
  RunDb& db = directory.db();
  // Before the ledger changes, since a refused run must stay unchanged.
  ProductFiles(directory.folder(), db).require_all_ours();
  if (options.start == StartMode::RetryFailed) {
    const std::set<std::uint64_t> again = unsettled_batches(chain, db);
    if (!again.empty()) db.reopen(again);
  }
  const bool is_resumed =
      options.start == StartMode::Resume || options.start == StartMode::RetryFailed;
  // A run without batches accepts the inputs as they are.
  const bool can_differ = directory.has_changed_inputs() || !db.batches().empty();
  bool accept = is_resumed && options.accept_changed_inputs && can_differ && !db.is_finished();
  if (db.meta("by identifier")) {
    // Earlier batches cannot be redone as batches.
    accept |=
        std::ranges::any_of(db.batches(), [](const auto& b) { return !b.second.is_committed; });
  }
  if (accept) {
    const auto words = accept_changed_inputs(chain, options, directory, facts);
    if (!words) return false;
    directory.warn()(*words);
  }
  directory.remove_stale_chunks();
  return true;
}

}  // namespace qsohost::inline v1
