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
#include "run/old_run.hpp"
#include "run/run_directory.hpp"
#include "run/run_monitor.hpp"
#include "run/stage_context.hpp"

namespace qsohost::inline v1 {

namespace {

namespace fs = std::filesystem;

Chain restore(const std::vector<OldRun>& runs, Plugins& plugins) {
  const OldRun& first = runs[0];
  for (const OldRun& run : runs) {
    if (run.chain != first.chain) {
      throw RunError(fmt::format(
          "{} and {} are runs of different chains; only shards of one chain can be merged (- the "
          "first, + the other):{}",
          first.folder.string(), run.folder.string(), difference(first.chain, run.chain)));
    }
    const std::string changed = difference(first.inputs, run.inputs);
    if (changed.empty()) continue;
    throw RunError(
        fmt::format("{} and {} are runs of one chain, but of other inputs:{}\n  do the shards "
                    "again that are not "
                    "of the inputs that you want (--restart)",
                    first.folder.string(), run.folder.string(), changed));
  }
  std::vector<Problem> problems;
  std::optional<Chain> chain = Chain::restore(first.chain, plugins, problems);
  std::string text;
  for (const Problem& p : problems) {
    if (!p.is_warning) text += (text.empty() ? "" : "\n") + p.message;
  }
  if (!chain) throw RunError(fmt::format("{}: {}", first.folder.string(), text));
  if (chain->effective() == first.chain) return *std::move(chain);
  throw RunError(fmt::format(
      "{}: the plugins are not those of the run any more:{}\n  use the same versions to merge",
      first.folder.string(), difference(first.chain, chain->effective())));
}

// Products of several runs must not go into the folder of one of them.
void require_other_folder(const std::vector<OldRun>& runs, const fs::path& into) {
  if (into.empty()) throw UsageError("several runs need a folder for what is merged (--into)");
  for (const OldRun& run : runs) {
    if (resolved(into) != run.folder) continue;
    throw RunError(
        fmt::format("{} holds a run of its own; take another folder (--into)", into.string()));
  }
}

fs::path kept_folder(const OldRun& run, const std::string& label) {
  fs::path folder = chunk_folder(run.folder, label);
  if (fs::exists(folder)) return folder;
  throw RunError(fmt::format(
      "{}: the chunks of '{}' are gone; run it again (--restart) with {}.keep_chunks = true",
      run.folder.string(), label, label));
}

SinkChunks kept_chunks(const Chain& chain, const OldRun& run) {
  SinkChunks out = chunks_of(chain, *RunDb::look_at(ledger_file(run.folder)));
  for (auto& [sink, chunks] : out) {
    const fs::path folder = kept_folder(run, chain.stages()[sink].label);
    for (Chunk& chunk : chunks) chunk.folder = folder;
  }
  return out;
}

// For each sink, the chunks of all runs in the order of the source.
SinkChunks all_chunks(const Chain& chain, const std::vector<OldRun>& runs) {
  std::map<const OldRun*, SinkChunks> of_run;
  for (const OldRun& run : runs) of_run.emplace(&run, kept_chunks(chain, run));
  SinkChunks out;
  for (const auto& [sink, some] : of_run.begin()->second) out[sink];
  for (const Piece& piece : pieces_of(runs)) {
    for (auto& [sink, chunks] : out) {
      const std::vector<Chunk>& there = of_run.at(piece.run).at(sink);
      const auto chunk = std::ranges::lower_bound(there, piece.ordinal, {}, &Chunk::ordinal);
      if (chunk != there.end() && chunk->ordinal == piece.ordinal) chunks.push_back(*chunk);
    }
  }
  return out;
}

// Opens the sinks and closes them again.
class OpenSinks {
 public:
  OpenSinks(Chain& chain, const OldRun& first, const fs::path& into, const MergeOptions& options) {
    const auto db = RunDb::look_at(ledger_file(first.folder));
    for (std::size_t i = 0; i < chain.stages().size(); ++i) {
      ChainStage& stage = chain.stages()[i];
      if (stage.offer.role != Role::Sink) continue;
      RunInfo info = run_info(chain, i);
      info.run_dir = into;
      info.work_dir = work_folder(into);
      info.chunk_dir = kept_folder(first, stage.label);
      info.schema = schema_from(*db, "schema of " + stage.label);
      contexts_.push_back(std::make_unique<StageContext>(std::move(info), stage.label, options.log,
                                                         [] { return false; }));
      guarded(stage, nullptr, [&] { stage.stage->open(*contexts_.back()); });
      opened_.push_back(&stage);
    }
  }
  ~OpenSinks() {
    for (const ChainStage* stage : opened_) close_stage(*stage);
  }
  OpenSinks(const OpenSinks&) = delete;
  OpenSinks& operator=(const OpenSinks&) = delete;

 private:
  std::vector<std::unique_ptr<StageContext>> contexts_;
  std::vector<ChainStage*> opened_;
};

// For `qsohost status` of the folder of merged products.
void note_merge(const Chain& chain, const std::vector<OldRun>& runs, RunDb& db) {
  std::string folders;
  std::uint64_t objects = 0;
  for (const OldRun& run : runs) {
    folders += (folders.empty() ? "" : ", ") + run.folder.string();
    objects += run.objects;
  }
  db.set_meta("chain", chain.settings().name);
  db.set_meta("objects", std::to_string(objects));
  db.set_meta("merged from", folders);
}

// Where the products go: the run itself, or a folder of merged products.
class Destination {
 public:
  // `into`: empty for the run itself.
  Destination(const OldRun& run, const fs::path& into,
              const std::function<void(LogLevel, const std::string&)>& log) {
    if (into.empty()) {
      folder_ = run.folder;
      lock_.emplace(folder_);
      db_ = std::make_unique<RunDb>(ledger_file(folder_));
      return;
    }
    const auto warn = [log](const std::string& text) {
      if (log) log(LogLevel::Warning, text);
    };
    merged_.emplace(into, RunFacts{run.chain, run.inputs}, warn);
    folder_ = merged_->folder();
  }
  RunDb& db() const { return merged_ ? merged_->db() : *db_; }
  const fs::path& folder() const { return folder_; }

 private:
  fs::path folder_;
  std::optional<FolderLock> lock_;
  std::unique_ptr<RunDb> db_;
  mutable std::optional<RunDirectory> merged_;
};

}  // namespace

std::vector<fs::path> merge_runs(Plugins& plugins, const MergeOptions& options) {
  std::vector<OldRun> runs;
  for (const fs::path& folder : options.run_dirs) runs.push_back(read_old_run(folder));
  if (runs.empty()) throw UsageError("name the run directories to merge");
  Chain chain = restore(runs, plugins);
  const bool is_alone =
      runs.size() == 1 && (options.into.empty() || resolved(options.into) == runs[0].folder);
  if (!is_alone) {
    require_other_folder(runs, options.into);
    require_whole(runs, options.partial);
  }
  const Destination destination(runs[0], is_alone ? fs::path() : options.into, options.log);
  RunDb& db = destination.db();
  const fs::path& into = destination.folder();
  ProductFiles products(into, db);
  products.remove_temporaries();
  RunOptions watched;
  watched.log = options.log;
  watched.stall_timeout = options.stall_timeout;
  const RunMonitor monitor(chain, watched);
  const OpenSinks sinks(chain, runs[0], into, options);
  products.check(chain, runs[0].inputs);
  finish_sinks(chain, all_chunks(chain, runs), products);
  for (const OldRun& run : runs) require_untouched(run);
  publish_products(chain, products);
  if (!is_alone) note_merge(chain, runs, db);
  db.finish();
  return products.paths();
}

}  // namespace qsohost::inline v1
