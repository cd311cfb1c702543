// The ledger of a run, run.db in the run directory: which batches are committed, how each object
// ended at each fetcher, and the counts that the closing report adds up. SQLite in WAL mode, so
// that it can be read while the run goes on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "qsohost/stage.hpp"

namespace qsohost::inline v1 {

class SqliteFile;

struct ObjectRecord {
  std::string source_id;
  Outcome outcome = Outcome::Matched;
  std::string reason;
  std::uint64_t epochs = 0;
  std::string detail;  // what was found, briefly
};

// An object in the ledger.
struct ObjectLine {
  ObjectRecord record;
  std::uint64_t attempts = 0;
  std::string updated;  // UTC
};

struct StageRecord {
  std::uint64_t objects_in = 0;
  std::uint64_t objects_out = 0;
  std::uint64_t epochs_in = 0;
  std::uint64_t epochs_out = 0;
  std::vector<Counts::Entry> counts;
  // All objects for a Fetcher; only the bad ones for a Fitter or Filter. Several may share a
  // source_id.
  std::vector<ObjectRecord> objects;
};

struct BatchRecord {
  std::uint64_t ordinal = 0;
  std::uint64_t attempt = 1;
  std::uint64_t first_object = 0;
  std::uint64_t objects = 0;
  std::string ids;                  // identifiers of its objects, a NUL behind each
  std::vector<StageRecord> stages;  // as many as the chain has
};

// For the identifiers of a batch.
std::string digest_of(std::string_view ids);

// A batch that is or was committed.
struct LedgerBatch {
  std::uint64_t attempt = 1;
  std::uint64_t first_object = 0;
  std::uint64_t objects = 0;
  std::string digest;        // of its identifiers
  bool is_committed = true;  // false: it is being done again
};

// A product that was or will be published: `now` and `before` are states of files, `before` that of
// the file it replaces; both are empty until there is one.
struct ProductRecord {
  std::string path;  // relative to the run directory if inside it
  std::string now;
  std::string before;
};

struct StageTotals {
  StageRecord sums;  // over all committed batches; `objects` is empty
  std::uint64_t matched = 0, not_found = 0, failed = 0, bad = 0;
};

class RunDb {
 public:
  // Opens the file, or makes it if there is none. An empty path makes a ledger in memory, for dry
  // runs. Throws RunError for a damaged file, and UsageError for the ledger of another version or a
  // database of another program; such a file is not changed.
  explicit RunDb(const std::filesystem::path& file);
  // Read-only, even while another process writes. Throws likewise, and if there is no file.
  static std::unique_ptr<RunDb> look_at(const std::filesystem::path& file);

  bool is_new() const { return is_new_; }
  // For a new run.
  void begin(const std::vector<std::string>& effective, const std::vector<Input>& inputs);
  std::vector<std::string> effective() const;  // as stored by begin()
  std::vector<Input> inputs() const;

  // Other facts about the run: "complete" once everything has been read and committed; "schema of
  // LABEL" for each sink; "begun" and "started" (the first and the last start, UTC); "run id";
  // "inode" of the host's folder; "source size", if known, and "source end", once reached; "by
  // identifier", if changed inputs were accepted: the first ordinal of batches made since;
  // "fetched" once a fetch job has come to its end; "merged from", if these are products of several
  // runs; and for `qsohost status`: "chain", "stages" (lines "role label"), "objects", "command",
  // "shard" ("3/8"), "source counts",
  // "error" (of the last start).
  void set_meta(const std::string& key, const std::string& value);
  std::optional<std::string> meta(const std::string& key) const;
  std::optional<std::uint64_t> number(const std::string& key) const;  // of meta
  // For a value that no run has stored: throws the RunError of a damaged file.
  [[noreturn]] void refuse(const std::string& what) const;
  void note_start();  // sets "started", forgets "error"

  std::map<std::uint64_t, LedgerBatch> batches() const;  // by ordinal
  // Identifiers of the objects of a batch, a NUL behind each.
  std::string ids_of(std::uint64_t ordinal) const;
  std::uint64_t committed_objects() const;
  // Objects that reached this stage in each committed batch, by ordinal.
  std::map<std::uint64_t, std::uint64_t> objects_in(std::size_t stage) const;
  // Batches with an object that this fetcher could not settle: failed, or bad.
  std::set<std::uint64_t> unsettled(std::size_t fetcher) const;

  // Batches of which a fetch job has stored the responses.
  std::set<std::uint64_t> fetched(bool only_settled) const;

  // One transaction each.
  void commit(const BatchRecord& batch);  // replaces an earlier record of that ordinal
  // These batches will be redone: neither they nor the run count as done until they are committed.
  void reopen(const std::set<std::uint64_t>& ordinals);
  // A fetch job has stored all responses for the batch; `is_settled`: and every object has one.
  void note_fetched(std::uint64_t ordinal, bool is_settled);
  void set_inputs(const std::vector<Input>& inputs);
  // The run goes on with other inputs: batches of `dropped` are forgotten, those of `kept` are no
  // longer to be redone.
  void accept_inputs(const std::vector<Input>& inputs, const std::set<std::uint64_t>& dropped,
                     const std::set<std::uint64_t>& kept);
  void set_products(const std::vector<ProductRecord>& products);  // added to the existing ones
  void forget_product(const std::string& path);

  void discard();  // everything but the run's identity

  // The run is done: its products contain all batches.
  void finish();
  bool is_finished() const;
  std::vector<ProductRecord> products() const;

  StageTotals totals(std::size_t stage) const;
  // Objects that failed or were bad at a stage: "source_id: reason", at most `most`.
  std::vector<std::string> complaints(std::size_t stage, Outcome outcome, std::size_t most) const;
  // The objects with this outcome at a stage, in the source's order, until `visit` returns false
  // (then returned). Read page by page: no statement is open during a call of `visit`, since a slow
  // one would keep the write-ahead log of a run from being emptied.
  bool each_object(std::size_t stage, Outcome outcome,
                   const std::function<bool(const ObjectLine&)>& visit) const;
  struct Pace {
    std::uint64_t batches = 0;         // committed, in total
    std::uint64_t objects_lately = 0;  // committed since "started"
    double seconds = 0;                // from "started" to the last commit
  };
  Pace pace() const;

 private:
  explicit RunDb(std::shared_ptr<SqliteFile> db) : db_(std::move(db)) {}
  struct Page;
  bool read_page(std::size_t stage, Outcome outcome, Page& page) const;

  bool is_new_ = false;
  std::shared_ptr<SqliteFile> db_;
};

}  // namespace qsohost::inline v1
