// Makes products from the chunks of existing runs: only the sinks are opened.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include "chain/stage_call.hpp"
#include "qsohost/error.hpp"
#include "qsohost/host/run.hpp"
#include "run/make_products.hpp"
#include "run/run_directory.hpp"
#include "run/stage_context.hpp"

namespace qsohost::inline v1 {

namespace {

namespace fs = std::filesystem;

struct OldRun {
  fs::path folder;
  FolderLock lock;
  RunDb db;
  explicit OldRun(const fs::path& path)
      : folder(existing(path)), lock(folder), db(ledger_file(folder)) {
    if (db.meta("format") != RunDb::kFormat) {
      throw RunError(
          fmt::format("run directory {} holds a run of another version of qsohost; merge it with "
                      "that version",
                      folder.string()));
    }
    adopt_copy(folder, db);
    if (db.meta("complete")) return;
    throw RunError(fmt::format(
        "run directory {} holds a run that was not finished ({} objects); go on with it "
        "(--resume), then merge",
        folder.string(), db.committed_objects()));
  }
  static fs::path existing(const fs::path& path) {
    require_run(path);
    return resolved(path);
  }
};

using OldRuns = std::vector<std::unique_ptr<OldRun>>;

// The chain of a run without what makes it a shard.
std::vector<std::string> chain_of(const OldRun& run) {
  std::vector<std::string> lines = run.db.effective();
  std::erase_if(lines, [](const std::string& line) { return line.starts_with("run."); });
  return lines;
}

Chain restore(const OldRuns& runs, Plugins& plugins) {
  const std::vector<std::string> lines = chain_of(*runs[0]);
  for (const auto& run : runs) {
    if (chain_of(*run) == lines) continue;
    throw RunError(fmt::format(
        "{} and {} are runs of different chains; only shards of one chain can be merged",
        runs[0]->folder.string(), run->folder.string()));
  }
  for (const auto& run : runs) {
    const std::string changed = difference(runs[0]->db.inputs(), run->db.inputs());
    if (changed.empty()) continue;
    throw RunError(
        fmt::format("{} and {} are runs of one chain, but of other inputs:{}\n  do the shards "
                    "again that are not "
                    "of the inputs that you want (--restart)",
                    runs[0]->folder.string(), run->folder.string(), changed));
  }
  std::vector<Problem> problems;
  std::optional<Chain> chain = Chain::restore(lines, plugins, problems);
  std::string text;
  for (const Problem& p : problems) {
    if (!p.is_warning) text += (text.empty() ? "" : "\n") + p.message;
  }
  if (!chain) throw RunError(fmt::format("{}: {}", runs[0]->folder.string(), text));
  if (chain->effective() == lines) return *std::move(chain);
  throw RunError(fmt::format(
      "{}: the plugins are not those of the run any more:{}\n  use the same versions to merge",
      runs[0]->folder.string(), difference(lines, chain->effective())));
}

struct Piece {
  std::uint64_t ordinal = 0;
  LedgerBatch batch;
  const OldRun* run;
};

// The batches of all runs in the order of the source.
std::vector<Piece> pieces_of(const OldRuns& runs) {
  std::vector<Piece> pieces;
  for (const auto& run : runs) {
    for (auto& [ordinal, batch] : run->db.batches()) pieces.push_back({ordinal, batch, run.get()});
  }
  std::ranges::stable_sort(pieces, {}, [](const Piece& p) { return p.batch.first_object; });
  return pieces;
}

// Shards must follow one another without gap or overlap.
void require_no_gap(const std::vector<Piece>& pieces) {
  std::uint64_t next = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const LedgerBatch& batch = pieces[i].batch;
    if (batch.first_object > next) {
      throw RunError(
          fmt::format("objects {} to {} are in none of the runs", next + 1, batch.first_object));
    }
    if (batch.first_object < next) {
      throw RunError(fmt::format("objects {} to {} are in {} and in {}", batch.first_object + 1,
                                 std::min(next, batch.first_object + batch.objects),
                                 pieces[i - 1].run->folder.string(),
                                 pieces[i].run->folder.string()));
    }
    next = batch.first_object + batch.objects;
  }
}

// The number of objects in the source, if one of the runs knows it.
std::optional<std::uint64_t> source_size(const OldRuns& runs) {
  for (const char* key : {"source end", "source size"}) {
    for (const auto& run : runs) {
      if (const auto size = run->db.meta(key)) return std::stoull(*size);
    }
  }
  return std::nullopt;
}

void require_the_end(const OldRuns& runs, const std::vector<Piece>& pieces) {
  const std::uint64_t end =
      pieces.empty() ? 0 : pieces.back().batch.first_object + pieces.back().batch.objects;
  const std::optional<std::uint64_t> size = source_size(runs);
  if (size && *size <= end) return;
  throw RunError(
      (size ? fmt::format("{} objects are in none of the runs: {} to {}; the last shard is missing",
                          *size - end, end + 1, *size)
            : fmt::format("none of the runs has come to the end of the source; what is behind "
                          "object {} is missing",
                          end)) +
      "; do it and name it too, or merge what there is with --partial");
}

// Products of several runs must not go into the folder of one of them.
void require_other_folder(const OldRuns& runs, const fs::path& into) {
  if (into.empty()) throw UsageError("several runs need a folder for what is merged (--into)");
  for (const auto& run : runs) {
    if (resolved(into) != run->folder) continue;
    throw RunError(
        fmt::format("{} holds a run of its own; take another folder (--into)", into.string()));
  }
}

// For shards; a run that is merged alone need not be whole.
void require_whole(const OldRuns& runs, const std::vector<Piece>& pieces, bool partial) {
  for (const auto& run : runs) {
    if (!run->db.meta("by identifier")) continue;
    throw RunError(fmt::format(
        "{} has gone on with changed inputs, so it is no part of a catalogue any more; merge it "
        "alone, or do it again (--restart)",
        run->folder.string()));
  }
  require_no_gap(pieces);
  if (!partial) require_the_end(runs, pieces);
}

// One folder with the chunks of a sink. Those of several runs are linked together: ordinals of
// shards differ.
fs::path collect_chunks(const OldRuns& runs, const fs::path& folder, const std::string& label) {
  const fs::path collected = folder / label;
  fs::create_directories(collected);
  for (const auto& run : runs) {
    const fs::path chunks = work_folder(run->folder) / "chunks" / label;
    if (!fs::exists(chunks)) {
      throw RunError(
          fmt::format("{}: the chunks of '{}' are gone; they are kept with {}.keep_chunks = true",
                      run->folder.string(), label, label));
    }
    for (const auto& entry : fs::directory_iterator(chunks)) {
      fs::create_symlink(entry.path(), collected / entry.path().filename());
    }
  }
  return collected;
}

// For each sink, the chunks of all runs in the order of the pieces.
SinkChunks all_chunks(const Chain& chain, const OldRuns& runs, const std::vector<Piece>& pieces) {
  std::map<const OldRun*, SinkChunks> of_run;
  for (const auto& run : runs) of_run.emplace(run.get(), chunks_of(chain, run->db));
  SinkChunks out;
  for (const auto& [sink, some] : of_run.begin()->second) {
    std::vector<Chunk>& chunks = out[sink];
    for (const Piece& piece : pieces) {
      const std::vector<Chunk>& there = of_run.at(piece.run).at(sink);
      const auto chunk = std::ranges::lower_bound(there, piece.ordinal, {}, &Chunk::ordinal);
      if (chunk != there.end() && chunk->ordinal == piece.ordinal) chunks.push_back(*chunk);
    }
  }
  return out;
}

// Opens the sinks with the chunks of all runs and closes them again.
class OpenSinks {
 public:
  OpenSinks(Chain& chain, const OldRuns& runs, const fs::path& into, const fs::path& chunks,
            const MergeOptions& options) {
    for (std::size_t i = 0; i < chain.stages().size(); ++i) {
      ChainStage& stage = chain.stages()[i];
      if (stage.offer.role != Role::Sink) continue;
      RunInfo info = run_info(chain, i);
      info.run_dir = into;
      info.work_dir = work_folder(into);
      info.chunk_dir = collect_chunks(runs, chunks, stage.label);
      info.schema = schema_from(runs[0]->db.meta("schema of " + stage.label).value_or("{}"));
      contexts_.push_back(std::make_unique<StageContext>(std::move(info), stage.label, options.log,
                                                         [] { return false; }));
      guarded(stage, nullptr, [&] { stage.stage->open(*contexts_.back()); });
      opened_.push_back(&stage);
    }
  }
  ~OpenSinks() {
    for (ChainStage* stage : opened_) stage->stage->close();
  }
  OpenSinks(const OpenSinks&) = delete;
  OpenSinks& operator=(const OpenSinks&) = delete;

 private:
  std::vector<std::unique_ptr<StageContext>> contexts_;
  std::vector<ChainStage*> opened_;
};

// For `qsohost status` of the folder of merged products.
void note_merge(const Chain& chain, const OldRuns& runs, RunDb& db) {
  std::string folders;
  std::uint64_t objects = 0;
  for (const auto& run : runs) {
    folders += (folders.empty() ? "" : ", ") + run->folder.string();
    objects += run->db.committed_objects();
  }
  db.set_meta("chain", chain.settings().name);
  db.set_meta("objects", std::to_string(objects));
  db.set_meta("merged from", folders);
}

// Removed when the merge is over, however it ends.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const fs::path& work) : path_(make_temporary_folder(work)) {}
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace

std::vector<fs::path> merge_runs(Plugins& plugins, const MergeOptions& options) {
  OldRuns runs;
  for (const fs::path& folder : options.run_dirs) runs.push_back(std::make_unique<OldRun>(folder));
  if (runs.empty()) throw UsageError("name the run directories to merge");
  Chain chain = restore(runs, plugins);
  const std::vector<Piece> pieces = pieces_of(runs);
  const bool is_alone =
      runs.size() == 1 && (options.into.empty() || resolved(options.into) == runs[0]->folder);
  if (!is_alone) {
    require_other_folder(runs, options.into);
    require_whole(runs, pieces, options.partial);
  }
  const auto warn = [&](const std::string& text) {
    if (options.log) options.log(LogLevel::Warning, text);
  };
  std::optional<RunDirectory> merged;
  if (!is_alone)
    merged.emplace(options.into, RunFacts{chain_of(*runs[0]), runs[0]->db.inputs()}, warn);
  const fs::path into = merged ? merged->folder() : runs[0]->folder;
  RunDb& db = merged ? merged->db() : runs[0]->db;
  ProductFiles products(into, db);
  products.remove_temporaries();
  const TemporaryFolder chunks(work_folder(into));
  const OpenSinks sinks(chain, runs, into, chunks.path(), options);
  products.check(chain, runs[0]->db.inputs());
  make_products(chain, all_chunks(chain, runs, pieces), products);
  if (merged) note_merge(chain, runs, db);
  db.finish();
  return products.paths();
}

}  // namespace qsohost::inline v1
