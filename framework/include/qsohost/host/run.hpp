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
#include "qsohost/host/fetch_progress.hpp"
#include "qsohost/host/stage_progress.hpp"

namespace qsohost::inline v1 {

enum class StartMode : std::uint8_t {
  Fresh,        // refuses a run directory that already holds a run
  Resume,       // continues with what is not committed; refuses a chain or inputs that changed
  Restart,      // deletes what the run directory holds of an earlier run
  RetryFailed,  // as Resume, and batches with failed objects are done again
};

struct Progress {
  std::uint64_t objects_done = 0;  // committed, of this and of earlier runs
  std::optional<std::uint64_t> objects_total;
  std::uint64_t objects_this_run = 0;
  double seconds = 0;                     // since this run began
  std::string stage;                      // of the oldest batch in flight
  std::uint64_t objects_read = 0;         // from the source in this run
  std::vector<FetchProgress> fetching{};  // in the order in which they began
  std::vector<std::string> archives{};    // a line each: requests so far, and how many at a time
  std::vector<StageProgress> stages{};    // empty before the first batch
  std::vector<StageCall> calls{};         // that have not returned, the longest first
  std::uint64_t in_flight = 0;            // batches
  int most_in_flight = 0;                 // fewer when batches are large
  int threads = 0;                        // compute threads
};

// Seconds until the fetcher that is farthest behind has settled all its objects, at its rate; those
// that the source has not returned yet are taken to reach it as often as those so far. None while
// nothing is known.
QSOHOST_API std::optional<double> seconds_of_fetching(const Progress& progress);

// What a fitter reports on a batch besides its results; one entry per row at that stage.
struct FitterWork {
  std::size_t stage = 0;             // position in the chain
  std::vector<double> seconds;       // CPU time of fit()
  std::vector<std::string> reasons;  // why it could not be fitted, or ""
};

// More than any machine or archive can use; a larger value is a typing error.
inline constexpr int kMostThreads = 4096;
inline constexpr int kMostLanes = 4096;      // of one fetcher
inline constexpr int kMostInFlight = 65536;  // batches

// One of `count` parts of a catalogue: together they hold every object once.
enum class ShardBy : std::uint8_t {
  Rows,  // a range of its objects, whose number the source must know
  Hash,  // of the identifier; every shard reads the whole source
};
struct Shard {
  std::uint64_t index = 0;  // from 0 to count - 1
  std::uint64_t count = 1;
  ShardBy by = ShardBy::Rows;
};
inline constexpr std::uint64_t kMostShards = 1'000'000;

// A fetcher may wait ten minutes for a busy archive; see RunOptions::stall_timeout.
inline constexpr double kStallTimeout = 600;

struct RunOptions {
  std::filesystem::path run_dir;
  StartMode start = StartMode::Fresh;
  // Resume and RetryFailed continue though inputs have changed: objects are matched by identifier,
  // those of committed batches stay, and all others are processed.
  bool accept_changed_inputs = false;
  std::uint64_t skip = 0;              // objects of the source to leave out
  std::optional<std::uint64_t> limit;  // how many objects to process after these
  // Only this shard of the source. Its chunks are kept for merge_runs(). Not with skip,
  // accept_changed_inputs and (but for a dry run) limit.
  std::optional<Shard> shard;
  bool dry_run = false;          // sinks are not called and nothing is stored
  int threads = 0;               // 0: all of the machine
  int in_flight = 0;             // batches; 0: chosen from threads, lanes and their size
  std::filesystem::path trace;   // a trace file (Chrome / Perfetto JSON); empty: none
  std::filesystem::path record;  // a folder: responses of archives are stored there too
  std::filesystem::path replay;  // such a folder: responses come from there alone
  // Sends the requests of all batches and stores the responses in the run directory; no batch is
  // committed. A later run there with `offline` computes them without any request.
  bool fetch_only = false;
  bool offline = false;
  // A folder that several runs name, on any number of hosts: together they open no more connections
  // to an archive than one run may, and a Retry-After holds for all. An archive without a limit
  // (HttpPolicy::max_connections) gets eight. Databases are not concerned. Empty: not shared.
  std::filesystem::path share_connections;
  std::string command;  // of this run, without --resume and the like; for `qsohost status`
  // Set by the host's signal handler: 1 drains, 2 aborts what waits, 3 is for the handler itself.
  const std::atomic<int>* interrupts = nullptr;
  // Seconds after which a call of a stage that has not returned is named in the log, and again
  // after each further period; 0: never.
  double stall_timeout = kStallTimeout;
  // Of a dry run: called with each batch after its last stage, one at a time, in source order. It
  // may move the batch away. The run waits for it: a slow callback does not pile up batches.
  std::function<void(Batch&, const std::vector<FitterWork>&)> batch_done;
  // About ten times a second, and at the end; from a thread of its own.
  std::function<void(const Progress&)> progress;
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
  // Of this run alone, without earlier ones:
  std::uint64_t objects_this_run = 0;  // that it began with, or that a Source returned
  double busy_seconds = 0;             // summed over threads
  double waiting_seconds = 0;          // batches waiting for the stage
  double utilisation = 0;  // busy / (wall x threads it may use); the largest is the bottleneck
};

enum class RunEnd : std::uint8_t { Done, Unsettled, Interrupted, Failed };

struct RunReport {
  RunEnd end = RunEnd::Done;
  std::string error;                   // when Failed
  std::uint64_t objects = 0;           // committed, by this and by earlier runs
  std::uint64_t objects_this_run = 0;  // in a dry run: processed
  double seconds = 0;                  // of this run
  std::vector<StageReport> stages;
  std::filesystem::path run_dir;  // as it was given
  std::vector<std::filesystem::path> products;
  std::vector<std::string> notes;  // e.g. the first reasons of failed objects
};

// True if a stage of the chain sends requests over HTTP, so that there is something to fetch.
QSOHOST_API bool sends_requests(const Chain& chain);

// Runs the chain. Throws UsageError before the first batch (a run directory in use or of another
// chain), and RunError when the run directory cannot be used; later failures are in the report.
QSOHOST_API RunReport run(Chain& chain, const RunOptions& options);

// The process that works in a run directory, as it said every few seconds; or was killed there.
struct RunHolder {
  std::string host;
  std::string job;  // of a batch system, "12_3" for task 3 of array 12; "": of none
  std::int64_t pid = 0;
  double last_sign = 0;       // of life: seconds since 1970, by its host's clock
  double seconds_silent = 0;  // since then, by this host's clock
};

// The state of a run from run.db, whether it is running or has ended.
struct RunStatus {
  std::string chain;
  // A process holds the lock of the run directory, or one on another host was alive lately.
  bool is_running = false;
  std::optional<RunHolder> holder;  // if it is running, or was killed
  bool is_finished = false;         // everything was read, and the products exist
  bool is_fetched = false;          // a fetch job has come to its end
  std::string begun;                // UTC
  std::string started;              // the last time; UTC
  std::string error;                // why it failed the last time; "": it did not, or was killed
  std::string command;  // that started it, to which --resume or --retry-failed can be added
  std::optional<std::uint64_t> objects_total;
  // Crashes of plugins, with their stage, batch and object; without batches committed since.
  std::vector<std::string> crashes;
  std::uint64_t batches = 0;            // committed
  std::optional<double> rate;           // objects per second since the last start
  std::optional<double> seconds_to_go;  // at that rate, if it is running
  std::vector<FetchProgress> fetching;  // as it was noted last, if it is running
  RunReport report;                     // as if it ended now; without times
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
  std::string reason;  // or, if matched, what was found
};

// All objects with this outcome, stage by stage, in source order, until `visit` returns false. The
// ledger is not locked during `visit`, so a slow callback does not block the run.
QSOHOST_API void each_object(const std::filesystem::path& run_dir, Outcome outcome,
                             const std::function<bool(const ObjectStatus&)>& visit);

// Installs handlers for crash signals (SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL) that report them
// on stderr, with the stage, batch and object of the thread, and record them for run_status(); then
// the default action follows. Signals that already have a handler are left alone.
QSOHOST_API void name_crashes();
// The same for any other sudden end of the program. Safe in a signal handler.
QSOHOST_API void report_crash(std::string_view what) noexcept;

struct MergeOptions {
  std::vector<std::filesystem::path> run_dirs;            // one, or the shards of one chain
  std::filesystem::path into;                             // empty: the first of them
  bool partial = false;                                   // the last shards may be missing
  double stall_timeout = kStallTimeout;                   // as in RunOptions
  std::function<void(LogLevel, const std::string&)> log;  // any thread
};

// Makes the products again from the chunks of complete runs; only sinks are opened. Shards are put
// in the order of the source. Throws UsageError for incomplete runs, different chains or inputs,
// missing chunks, gaps or overlaps between shards or a missing last shard (with the objects), and
// for a folder `into` that holds a run.
QSOHOST_API std::vector<std::filesystem::path> merge_runs(Plugins& plugins,
                                                          const MergeOptions& options);

}  // namespace qsohost::inline v1
