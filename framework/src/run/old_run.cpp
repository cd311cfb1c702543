#include "run/old_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "qsohost/error.hpp"
#include "run/part.hpp"
#include "run/run_directory.hpp"

namespace qsohost::inline v1 {

namespace {

namespace fs = std::filesystem;

std::string state_of(const RunDb& db) {
  return db.meta("started").value_or("") + ' ' + db.meta("finished").value_or("") + ' ' +
         db.meta("run id").value_or("");
}

std::optional<std::uint64_t> source_size(const RunDb& db) {
  for (const char* key : {"source end", "source size"}) {
    if (const auto size = db.number(key)) return size;
  }
  return std::nullopt;
}

void require_finished(const fs::path& folder, const RunDb& db) {
  if (db.meta("complete")) return;
  throw RunError(fmt::format(
      "run directory {} holds a run that was not finished ({} objects); go on with it (--resume), "
      "then merge",
      folder.string(), db.committed_objects()));
}

}  // namespace

OldRun read_old_run(const fs::path& path) {
  require_run(path);
  OldRun run;
  run.folder = resolved(path);
  const FolderLock lock(run.folder);
  auto db = RunDb::look_at(ledger_file(run.folder));
  require_finished(run.folder, *db);
  // Opening a ledger for writing waits for the disk several times, which adds up over many shards.
  if (is_copy(run.folder, *db)) {
    db = std::make_unique<RunDb>(ledger_file(run.folder));
    adopt_copy(run.folder, *db);
  }
  run.chain = db->effective();
  run.shard = shard_in(run.chain);
  std::erase_if(run.chain, is_part_line);
  run.inputs = db->inputs();
  run.batches = db->batches();
  run.source_size = source_size(*db);
  run.objects = db->committed_objects();
  run.is_by_identifier = db->meta("by identifier").has_value();
  run.state = state_of(*db);
  return run;
}

void require_untouched(const OldRun& run) {
  if (state_of(*RunDb::look_at(ledger_file(run.folder))) == run.state) return;
  throw RunError(
      fmt::format("the run in {} was begun again or went on during the merge; merge once "
                  "more when it is done",
                  run.folder.string()));
}

std::vector<Piece> pieces_of(const std::vector<OldRun>& runs) {
  std::vector<Piece> pieces;
  for (const OldRun& run : runs) {
    for (const auto& [ordinal, batch] : run.batches) pieces.push_back({ordinal, batch, &run});
  }
  std::ranges::stable_sort(pieces, {}, [](const Piece& p) { return p.batch.first_object; });
  return pieces;
}

namespace {

void require_one_source(const std::vector<OldRun>& runs) {
  const OldRun* first = nullptr;
  for (const OldRun& run : runs) {
    if (run.is_by_identifier) {
      throw RunError(fmt::format(
          "{} has gone on with changed inputs, so it is no part of a catalogue any more; merge it "
          "alone, or do it again (--restart)",
          run.folder.string()));
    }
    if (!run.source_size) continue;
    if (first == nullptr) first = &run;
    if (*run.source_size == *first->source_size) continue;
    throw RunError(fmt::format(
        "the source had {} objects in {}, and {} in {}: they are no parts of one "
        "catalogue; do the shards again that are not of the one that you want "
        "(--restart)",
        *first->source_size, first->folder.string(), *run.source_size, run.folder.string()));
  }
}

std::string described(const OldRun& run) {
  if (!run.shard) return fmt::format("{} is no shard", run.folder.string());
  return fmt::format("{} is shard {}", run.folder.string(), division_text(*run.shard));
}

// "3, 5 to 7"
std::string listed(const std::vector<std::uint64_t>& numbers) {
  std::string out;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t end = i + 1;
    while (end < numbers.size() && numbers[end] == numbers[end - 1] + 1) ++end;
    out += (out.empty() ? "" : ", ") + std::to_string(numbers[i]);
    if (end > i + 1) out += fmt::format(" to {}", numbers[end - 1]);
    i = end;
  }
  return out;
}

void require_all_shards(const std::vector<OldRun>& runs, bool partial) {
  std::map<std::uint64_t, const OldRun*> by_index;
  const Shard& first = *runs[0].shard;
  for (const OldRun& run : runs) {
    if (!run.shard || run.shard->count != first.count || run.shard->by != first.by) {
      throw RunError(fmt::format("{}, but {}; only shards of one division can be merged",
                                 described(runs[0]), described(run)));
    }
    const auto [there, is_new] = by_index.emplace(run.shard->index, &run);
    if (is_new) continue;
    throw RunError(
        fmt::format("{} and {} are both shard {}: their objects are the same; name one of them",
                    there->second->folder.string(), run.folder.string(), to_text(*run.shard)));
  }
  std::vector<std::uint64_t> missing;
  for (std::uint64_t k = 0; k < first.count; ++k) {
    if (!by_index.contains(k)) missing.push_back(k);
  }
  const bool are_last = missing.empty() || missing.front() == by_index.size();
  if (missing.empty() || (partial && are_last)) return;
  throw RunError(fmt::format("of {} shards, these are missing: {}; do them and name them too{}",
                             first.count, listed(missing),
                             are_last ? ", or merge what there is with --partial" : ""));
}

// Ranges must follow one another without gap or overlap.
void require_no_gap(const std::vector<Piece>& pieces) {
  std::uint64_t next = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const LedgerBatch& batch = pieces[i].batch;
    if (batch.first_object > next) {
      throw RunError(fmt::format(
          "objects {} to {} are in none of the runs; name the run that has them, or make it",
          next + 1, batch.first_object));
    }
    if (batch.first_object < next) {
      throw RunError(
          fmt::format("objects {} to {} are in {} and in {}; name one of them",
                      batch.first_object + 1, std::min(next, batch.first_object + batch.objects),
                      pieces[i - 1].run->folder.string(), pieces[i].run->folder.string()));
    }
    next = batch.first_object + batch.objects;
  }
}

void require_the_end(const std::vector<OldRun>& runs, const std::vector<Piece>& pieces) {
  const std::uint64_t end =
      pieces.empty() ? 0 : pieces.back().batch.first_object + pieces.back().batch.objects;
  std::optional<std::uint64_t> size;
  for (const OldRun& run : runs) size = size ? size : run.source_size;
  if (size && *size <= end) return;
  throw RunError(
      (size ? fmt::format("{} objects are in none of the runs: {} to {}; the last shard is missing",
                          *size - end, end + 1, *size)
            : fmt::format("none of the runs has come to the end of the source; what is behind "
                          "object {} is missing",
                          end)) +
      "; do it and name it too, or merge what there is with --partial");
}

}  // namespace

void require_whole(const std::vector<OldRun>& runs, bool partial) {
  require_one_source(runs);
  const auto shard =
      std::ranges::find_if(runs, [](const OldRun& r) { return r.shard.has_value(); });
  if (shard != runs.end()) {
    if (!runs[0].shard) {
      throw RunError(fmt::format("{}, but {}; only shards of one division can be merged",
                                 described(*shard), described(runs[0])));
    }
    require_all_shards(runs, partial);
    // Each has come to the end of the source, and batches of several cover the same range of it.
    if (shard->shard->by == ShardBy::Hash) return;
  }
  const std::vector<Piece> pieces = pieces_of(runs);
  require_no_gap(pieces);
  if (!partial) require_the_end(runs, pieces);
}

}  // namespace qsohost::inline v1
