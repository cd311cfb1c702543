// The ledger of a run, run.db in the run directory: which batches are committed, how each object
// ended at each fetcher, and the counts that the closing report adds up. SQLite in WAL mode, so
// that it can be read while the run goes on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "qsohost/stage.hpp"

struct sqlite3;

namespace qsohost::inline v1 {

struct ObjectRecord {
  std::string source_id;
  Outcome outcome = Outcome::Matched;
  std::string reason;
  std::uint64_t epochs = 0;
  std::string detail;  // what was found, in a few words
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
  // All of a Fetcher's; of a Fitter's only the bad ones. Several may have one source_id.
  std::vector<ObjectRecord> objects;
};

struct BatchRecord {
  std::uint64_t ordinal = 0;
  std::uint64_t first_object = 0;
  std::uint64_t objects = 0;
  std::vector<StageRecord> stages;  // as many as the chain has
};

struct StageTotals {
  StageRecord sums;  // over all committed batches; `objects` is empty
  std::uint64_t matched = 0, not_found = 0, failed = 0, bad = 0;
};

class RunDb {
 public:
  static constexpr const char* kFormat = "2";  // of the tables; stored under "format"

  // Opens or makes the file. An empty path makes a ledger in memory, for dry runs. Throws
  // ChainError that names the file.
  explicit RunDb(const std::filesystem::path& file);
  // To look at, whoever else is writing to it. Throws ChainError, also when it is not there.
  static std::unique_ptr<RunDb> look_at(const std::filesystem::path& file);

  bool is_new() const { return is_new_; }
  void begin(const std::vector<std::string>& effective);  // of a new run
  std::vector<std::string> effective() const;             // as stored by begin()

  // Facts about the run besides: "complete" once everything has been read and committed; "schema of
  // LABEL" for each sink; "begun" and "started" (the first and the last time, UTC); and for
  // `qsohost status`: "chain", "stages" (lines "role label"), "objects", "command".
  void set_meta(const std::string& key, const std::string& value);
  std::optional<std::string> meta(const std::string& key) const;
  void note_start();  // sets "started"

  std::map<std::uint64_t, std::uint64_t> committed() const;  // ordinal -> objects
  struct Range {
    std::uint64_t ordinal = 0;
    std::uint64_t first_object = 0;
    std::uint64_t objects = 0;
  };
  std::vector<Range> ranges() const;  // of the committed batches
  std::uint64_t committed_objects() const;
  // Batches with an object that this fetcher could not settle: failed, or bad.
  std::set<std::uint64_t> unsettled(std::size_t fetcher) const;

  // One transaction; replaces an earlier record of that ordinal, counting attempts.
  void commit(const BatchRecord& batch);

  // Products of a run whose source was read to its end and whose sinks have finished.
  void finish(const std::vector<std::filesystem::path>& products);
  void reopen();  // takes that back
  bool is_finished() const;
  std::vector<std::filesystem::path> products() const;

  StageTotals totals(std::size_t stage) const;
  // Objects that failed or were bad at a stage: "source_id: reason", at most `most`.
  std::vector<std::string> complaints(std::size_t stage, Outcome outcome, std::size_t most) const;
  // Those that ended so at a stage, in the source's order, until `tell` returns false (returned
  // then). Read page by page: no statement is open while `tell` is called, for a slow one would
  // keep the write-ahead log of a run from being emptied.
  bool each_object(std::size_t stage, Outcome outcome,
                   const std::function<bool(const ObjectLine&)>& tell) const;
  struct Pace {
    std::uint64_t batches = 0;         // committed, in all
    std::uint64_t objects_lately = 0;  // committed since "started"
    double seconds = 0;                // from "started" to the last commit
  };
  Pace pace() const;

 private:
  RunDb() = default;
  struct Page;
  bool read_page(std::size_t stage, Outcome outcome, Page& page) const;
  void execute(const char* sql) const;

  std::string file_;
  bool is_new_ = false;
  std::shared_ptr<sqlite3> db_;
  mutable std::mutex mutex_;  // one call at a time
};

}  // namespace qsohost::inline v1
