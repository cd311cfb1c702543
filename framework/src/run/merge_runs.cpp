// Products from the chunks of runs that are there already: nothing but the sinks is opened.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "qsohost/error.hpp"
#include "qsohost/run.hpp"
#include "run/run_directory.hpp"
#include "run/stage_call.hpp"
#include "run/stage_context.hpp"

namespace qsohost::inline v1 {

namespace {

namespace fs = std::filesystem;

struct OldRun {
  fs::path folder;
  FolderLock lock;
  RunDb db;
  explicit OldRun(const fs::path& path)
      : folder(existing(path)), lock(folder), db(folder / "run.db") {
    if (db.meta("complete")) return;
    throw ChainError(fmt::format(
        "run directory {} holds a run that was not finished ({} objects); go on with it "
        "(--resume), then merge",
        folder.string(), db.committed_objects()));
  }
  static fs::path existing(const fs::path& path) {
    if (fs::exists(path / "run.db")) return fs::absolute(path).lexically_normal();
    throw ChainError(fmt::format("{}: holds no run (there is no run.db)", path.string()));
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
    throw ChainError(fmt::format(
        "{} and {} are runs of different chains; only shards of one chain can be merged",
        runs[0]->folder.string(), run->folder.string()));
  }
  std::vector<Problem> problems;
  std::optional<Chain> chain = Chain::restore(lines, plugins, problems);
  std::string text;
  for (const Problem& p : problems) {
    if (!p.is_warning) text += (text.empty() ? "" : "\n") + p.message;
  }
  if (!chain) throw ChainError(fmt::format("{}: {}", runs[0]->folder.string(), text));
  if (chain->effective() == lines) return *std::move(chain);
  throw ChainError(fmt::format(
      "{}: the plugins are not those of the run any more:{}\n  use the same versions to merge",
      runs[0]->folder.string(), difference(lines, chain->effective())));
}

struct Piece {
  RunDb::Range range;
  const OldRun* run;
};

// The batches of all runs in the order of the source, without gap or overlap.
std::vector<Piece> in_order(const OldRuns& runs) {
  std::vector<Piece> pieces;
  for (const auto& run : runs) {
    for (const RunDb::Range& range : run->db.ranges()) pieces.push_back({range, run.get()});
  }
  std::ranges::sort(pieces, {}, [](const Piece& p) { return p.range.first_object; });
  std::uint64_t next = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const RunDb::Range& range = pieces[i].range;
    if (range.first_object > next) {
      throw ChainError(
          fmt::format("objects {} to {} are in none of the runs", next + 1, range.first_object));
    }
    if (range.first_object < next) {
      throw ChainError(fmt::format("objects {} to {} are in {} and in {}", range.first_object + 1,
                                   std::min(next, range.first_object + range.objects),
                                   pieces[i - 1].run->folder.string(),
                                   pieces[i].run->folder.string()));
    }
    next = range.first_object + range.objects;
  }
  return pieces;
}

// One folder with the chunks of a sink. Of several runs they are linked together: ordinals of
// shards differ.
class Chunks {
 public:
  Chunks(const OldRuns& runs, const fs::path& into, const std::string& label)
      : folder_(runs[0]->folder / "chunks" / label) {
    for (const auto& run : runs) {
      if (fs::exists(run->folder / "chunks" / label)) continue;
      throw ChainError(
          fmt::format("{}: the chunks of '{}' are gone; they are kept with {}.keep_chunks = true",
                      run->folder.string(), label, label));
    }
    if (runs.size() == 1) return;
    folder_ = into / "merging" / label;
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    is_linked_ = true;
    for (const auto& run : runs) {
      for (const auto& entry : fs::directory_iterator(run->folder / "chunks" / label)) {
        fs::create_symlink(entry.path(), folder_ / entry.path().filename());
      }
    }
  }
  ~Chunks() {
    std::error_code ignored;
    if (is_linked_) fs::remove_all(folder_.parent_path(), ignored);
  }
  Chunks(const Chunks&) = delete;
  Chunks& operator=(const Chunks&) = delete;
  const fs::path& folder() const { return folder_; }

 private:
  fs::path folder_;
  bool is_linked_ = false;
};

}  // namespace

std::vector<fs::path> merge_runs(Plugins& plugins, const MergeOptions& options) {
  OldRuns runs;
  for (const fs::path& folder : options.run_dirs) runs.push_back(std::make_unique<OldRun>(folder));
  if (runs.empty()) throw ChainError("name the run directories to merge");
  Chain chain = restore(runs, plugins);
  std::vector<std::uint64_t> ordinals;
  for (const Piece& piece : in_order(runs)) ordinals.push_back(piece.range.ordinal);
  const fs::path into =
      options.into.empty() ? runs[0]->folder : fs::absolute(options.into).lexically_normal();
  fs::create_directories(into);
  std::vector<fs::path> products;
  for (std::size_t i = 0; i < chain.stages().size(); ++i) {
    ChainStage& stage = chain.stages()[i];
    if (stage.offer.role != Role::Sink) continue;
    const Chunks chunks(runs, into, stage.label);
    RunInfo info = run_info(chain, i);
    info.run_dir = into;
    info.chunk_dir = chunks.folder();
    info.schema = schema_from(runs[0]->db.meta("schema of " + stage.label).value_or("{}"));
    StageContext context(std::move(info), stage.label, options.log, nullptr, 2);
    guarded(stage, nullptr, [&] {
      stage.stage->open(context);
      for (fs::path& path : static_cast<Sink&>(*stage.stage).finish(ordinals)) {
        products.push_back(std::move(path));
      }
      stage.stage->close();
    });
  }
  if (runs.size() == 1) runs[0]->db.finish(products);
  return products;
}

}  // namespace qsohost::inline v1
