// For hosts: running a chain.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qsohost/context.hpp"
#include "qsohost/host/chain.hpp"

namespace qsohost::inline v1 {

enum class StartMode : std::uint8_t {
  Fresh,        // refuses a run directory that already holds a run
  Resume,       // goes on with what is not committed; refuses a chain or inputs that changed
  Restart,      // throws away what the run directory holds of an earlier run
  RetryFailed,  // as Resume, and batches with failed objects are done again
};

struct Progress {
  std::uint64_t objects_done = 0;  // committed, of this and of earlier runs
  std::optional<std::uint64_t> objects_total;
  std::uint64_t objects_this_run = 0;
  double seconds = 0;  // since this run began
  std::string stage;   // where the batch furthest behind is
};

// What a fitter did with a batch besides its results; an entry a row, as rows were then.
struct FitterWork {
  std::size_t stage = 0;             // position in the chain
  std::vector<double> seconds;       // CPU time of fit()
  std::vector<std::string> reasons;  // why it could not be done, or ""
};

// More than any machine or archive has use for; what is larger is a slip of the pen.
inline constexpr int kMostThreads = 4096;
inline constexpr int kMostLanes = 4096;      // of one fetcher
inline constexpr int kMostInFlight = 65536;  // batches

struct RunOptions {
  std::filesystem::path run_dir;
  StartMode start = StartMode::Fresh;
  // Resume and RetryFailed go on though inputs have changed: objects are told apart by identifier,
  // those of committed batches stay, and those that are in none are done.
  bool accept_changed_inputs = false;
  std::uint64_t skip = 0;              // objects of the source to leave out, for shards
  std::optional<std::uint64_t> limit;  // only the first so many objects behind these
  bool dry_run = false;                // sinks are not called and nothing is stored
  int threads = 0;                     // 0: as many as the machine has
  int in_flight = 0;                   // batches; 0: chosen from threads and lanes
  std::filesystem::path trace;         // a trace file (Chrome / Perfetto JSON); empty: none
  std::filesystem::path record;        // a folder: answers of archives are kept there too
  std::filesystem::path replay;        // such a folder: answers come from there, nobody is asked
  std::string command;  // begins this run, without --resume and the like; for `qsohost status`
  // Set by the host's signal handler: 1 drains, 2 aborts what waits, 3 is the handler's own affair.
  const std::atomic<int>* interrupts = nullptr;
  // Of a dry run: called with each batch behind its last stage, one at a time, in source order.
  std::function<void(const Batch&, const std::vector<FitterWork>&)> batch_done;
  std::function<void(const Progress&)> progress;          // about ten times a second
  std::function<void(LogLevel, const std::string&)> log;  // any thread
};

struct StageReport {
  std::string label;
  Role role = Role::Source;
  std::uint64_t objects_in = 0;
  std::uint64_t objects_out = 0;
  std::uint64_t epochs_in = 0;
  std::uint64_t epochs_out = 0;
  std::uint64_t matched = 0, not_found = 0, failed = 0, bad = 0;  // objects, by outcome
  std::vector<Counts::Entry> counts;
  // Of this run alone, whatever earlier ones did:
  std::uint64_t objects_this_run = 0;  // that it began with, or that a Source gave
  double busy_seconds = 0;             // summed over threads
  double waiting_seconds = 0;          // batches waiting for the stage
  double utilisation = 0;  // busy / (wall x threads it may use); the largest is the bottleneck
};

enum class RunEnd : std::uint8_t { Done, Unsettled, Interrupted, Failed };

struct RunReport {
  RunEnd end = RunEnd::Done;
  std::string error;                   // when Failed
  std::uint64_t objects = 0;           // committed, by this and by earlier runs
  std::uint64_t objects_this_run = 0;  // in a dry run: gone through
  double seconds = 0;                  // of this run
  std::vector<StageReport> stages;
  std::filesystem::path run_dir;  // as it was given
  std::vector<std::filesystem::path> products;
  std::vector<std::string> notes;  // e.g. the first reasons of failed objects
};

// Runs the chain. Throws UsageError before the first batch (a run directory in use or of another
// chain), and RunError when the run directory cannot be used; later failures are in the report.
QSOHOST_API RunReport run(Chain& chain, const RunOptions& options);

// What run.db tells of a run, whether it is under way or over.
struct RunStatus {
  std::string chain;
  bool is_running = false;   // some process has the run directory
  bool is_finished = false;  // everything was read, and the products are there
  std::string begun;         // UTC
  std::string started;       // the last time; UTC
  std::string command;       // that began it, to which --resume or --retry-failed can be added
  std::optional<std::uint64_t> objects_total;
  // Crashes of plugins, with what was being worked on; none of batches that were committed since.
  std::vector<std::string> crashes;
  std::uint64_t batches = 0;            // committed
  std::optional<double> rate;           // objects a second, since it was started the last time
  std::optional<double> seconds_to_go;  // at that rate, if it is running
  RunReport report;                     // how it would end now; of its times there are none
};

// Changes nothing. Throws UsageError for a folder that holds no run.
QSOHOST_API RunStatus run_status(const std::filesystem::path& run_dir);

// One object at one stage.
struct ObjectStatus {
  std::string source_id;
  std::string stage;
  Outcome outcome = Outcome::Matched;
  std::uint64_t attempts = 0;
  std::string when;    // of the last one, UTC
  std::string reason;  // or, of a matched one, what was found
};

// All that ended so, stage by stage, in the source's order, until `tell` returns false. While it is
// called the ledger is not being read: it may take its time, and the run is not held up.
QSOHOST_API void each_object(const std::filesystem::path& run_dir, Outcome outcome,
                             const std::function<bool(const ObjectStatus&)>& tell);

// From now on a signal that stands for a crash (SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL) is told
// on stderr, with the stage, batch and object that its thread was at, and noted for run_status();
// then it takes its usual course. Signals that have a handler already are left alone.
QSOHOST_API void name_crashes();
// The same for any other sudden end of the program. Safe in a signal handler.
QSOHOST_API void tell_crash(std::string_view what) noexcept;

struct MergeOptions {
  std::vector<std::filesystem::path> run_dirs;  // one, or the shards of one chain
  std::filesystem::path into;                   // empty: the first of them
  bool partial = false;                         // the last shards may be missing
  std::function<void(LogLevel, const std::string&)> log;
};

// Makes the products again from the chunks that complete runs have left; sinks alone are opened.
// Shards are put in the order of the source. Throws UsageError for runs that are not complete, of
// different chains or of different inputs, chunks that are gone, gaps or overlaps between shards,
// a last shard that is missing, naming the objects, and for a folder `into` that holds a run.
QSOHOST_API std::vector<std::filesystem::path> merge_runs(Plugins& plugins,
                                                          const MergeOptions& options);

}  // namespace qsohost::inline v1
