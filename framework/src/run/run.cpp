#include "qsohost/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <numeric>
#include <set>
#include <thread>

#include "http/connection.hpp"
#include "qsohost/error.hpp"
#include "run/callback_guard.hpp"
#include "run/crash.hpp"
#include "run/executor.hpp"
#include "run/ledger_report.hpp"
#include "run/run_directory.hpp"
#include "run/stage_call.hpp"
#include "run/stage_context.hpp"
#include "run/trace.hpp"

namespace qsohost::inline v1 {

namespace {

namespace fs = std::filesystem;

// A stage found its surroundings wrong (no such file, a row it cannot use): the run has failed, but
// nothing is wrong with the chain.
class CannotOpen final : public ChainError {
 public:
  using ChainError::ChainError;
};

// As guarded(), for calls before the first batch.
void guarded_opening(const ChainStage& stage, const std::function<void()>& call) {
  try {
    guarded(stage, nullptr, call);
  } catch (const ChainError& e) {
    throw CannotOpen(e.what());
  }
}

// Opens the stages of a chain and closes those that were opened, whatever happens in between.
class OpenChain {
 public:
  OpenChain(Chain& chain, const RunOptions& options, RunDirectory* directory) : chain_(chain) {
    try {
      for (std::size_t i = 0; i < chain.stages().size(); ++i) {
        const bool skip = options.dry_run && chain.stages()[i].offer.role == Role::Sink;
        // The first interrupt drains the chain: nothing more comes, what is there is finished.
        const int stops_at = i == 0 ? 1 : 2;
        contexts_.push_back(
            skip ? nullptr
                 : std::make_unique<StageContext>(info(i, directory), chain.stages()[i].label,
                                                  options.log, options.interrupts, stops_at));
        if (skip) continue;
        open(i);
        // Only now the source knows its columns: what could not be checked before is checked here.
        if (i == 0) check_again();
      }
    } catch (...) {
      close();
      throw;
    }
  }
  ~OpenChain() { close(); }
  OpenChain(const OpenChain&) = delete;
  OpenChain& operator=(const OpenChain&) = delete;

 private:
  RunInfo info(std::size_t index, RunDirectory* directory) const {
    const ChainStage& stage = chain_.stages()[index];
    RunInfo info = run_info(chain_, index);
    if (directory == nullptr) return info;
    info.run_dir = directory->folder();
    if (stage.offer.role == Role::Sink) {
      info.chunk_dir = directory->make_chunk_folder(stage.label);
      directory->db().set_meta("schema of " + stage.label, to_text(info.schema));
    }
    return info;
  }

  void open(std::size_t index) {
    ChainStage& stage = chain_.stages()[index];
    guarded_opening(stage, [&] { stage.stage->open(*contexts_[index]); });
    opened_.push_back(&stage);
  }

  void check_again() {
    std::vector<Problem> problems;
    chain_.check_ports(problems);
    std::string message;
    for (const Problem& p : problems) message += (message.empty() ? "" : "\n") + p.text();
    if (!message.empty()) throw ChainError(message);
  }

  void close() noexcept {
    for (auto it = opened_.rbegin(); it != opened_.rend(); ++it) {
      const AtWork at_work(place_of(**it, nullptr));
      (*it)->stage->close();
    }
    opened_.clear();
  }

  Chain& chain_;
  std::vector<std::unique_ptr<StageContext>> contexts_;
  std::vector<ChainStage*> opened_;
};

void check_limit(std::string_view what, int number, int most) {
  if (number <= most) return;
  throw CannotOpen(fmt::format("{} {}: {} is the most", number, what, most));
}

// Of each stage; 0 for those that are no fetchers.
std::vector<int> lanes_of(const Chain& chain) {
  std::vector<int> lanes(chain.stages().size());
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    const ChainStage& stage = chain.stages()[i];
    if (stage.offer.role != Role::Fetcher) continue;
    guarded_opening(
        stage, [&] { lanes[i] = std::max(1, static_cast<const Fetcher&>(*stage.stage).lanes()); });
    check_limit(fmt::format("lanes of stage '{}'", stage.label), lanes[i], kMostLanes);
  }
  return lanes;
}

Executor::Settings executor_settings(const Chain& chain, const RunOptions& options) {
  check_limit("threads", options.threads, kMostThreads);
  check_limit("batches in flight", options.in_flight, kMostInFlight);
  Executor::Settings settings;
  settings.threads = options.threads > 0
                         ? options.threads
                         : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  settings.lanes = lanes_of(chain);
  const std::int64_t workers =
      std::accumulate(settings.lanes.begin(), settings.lanes.end(), std::int64_t{settings.threads});
  settings.in_flight = options.in_flight > 0
                           ? options.in_flight
                           : static_cast<int>(std::min<std::int64_t>(workers + 2, kMostInFlight));
  settings.batch_rows = chain.settings().batch_rows;
  settings.batch_bytes = chain.settings().batch_megabytes << 20;
  settings.skip = options.skip;
  settings.limit = options.limit;
  settings.with_sinks = !options.dry_run;
  settings.interrupts = options.interrupts;
  if (options.dry_run) settings.batch_done = options.batch_done;
  return settings;
}

std::vector<fs::path> make_products(Chain& chain, RunDb& db) {
  std::vector<std::uint64_t> ordinals;
  for (const auto& [ordinal, objects] : db.committed()) ordinals.push_back(ordinal);
  std::vector<fs::path> products;
  for (ChainStage& stage : chain.stages()) {
    if (stage.offer.role != Role::Sink) continue;
    guarded(stage, nullptr, [&] {
      for (fs::path& path : static_cast<Sink&>(*stage.stage).finish(ordinals)) {
        products.push_back(std::move(path));
      }
    });
  }
  return products;
}

// Totals of this and earlier runs from the ledger, times of this run from the executor.
void fill_report(const Chain& chain, const RunDb& db, const Executor* executor, RunReport& report) {
  report.objects = db.committed_objects();
  if (executor != nullptr) report.objects_this_run = executor->objects();
  for (std::size_t i = 0; i < chain.stages().size(); ++i) {
    const ChainStage& of_chain = chain.stages()[i];
    StageReport stage = stage_report(of_chain.label, of_chain.offer.role, i, db);
    if (executor != nullptr) {
      const StageClock clock = executor->clock(i);
      stage.objects_this_run = clock.objects;
      stage.busy_seconds = clock.busy;
      stage.waiting_seconds = clock.waiting;
      const auto workers = static_cast<double>(executor->workers(i));
      if (report.seconds > 0) stage.utilisation = clock.busy / (report.seconds * workers);
    }
    add_notes(stage, i, db, report);
    report.stages.push_back(std::move(stage));
  }
}

// Sinks whose chunks are not wanted any more once there are products.
std::vector<std::string> passing_sinks(const Chain& chain) {
  std::vector<std::string> labels;
  for (const ChainStage& stage : chain.stages()) {
    if (stage.offer.role != Role::Sink) continue;
    bool keeps = false;
    guarded_opening(stage, [&] { keeps = static_cast<const Sink&>(*stage.stage).keeps_chunks(); });
    if (!keeps) labels.push_back(stage.label);
  }
  return labels;
}

std::vector<std::string> fingerprint(const Chain& chain, const RunOptions& options) {
  std::vector<std::string> lines = chain.effective();
  if (options.skip > 0) lines.push_back(fmt::format("run.skip = {}", options.skip));
  if (options.limit) lines.push_back(fmt::format("run.limit = {}", *options.limit));
  return lines;
}

// What earlier runs have done and this one passes over: batches, and the objects in them.
struct Done {
  std::set<std::uint64_t> batches;
  std::uint64_t objects = 0;
};

Done done_before(const Chain& chain, RunDb& db, StartMode start) {
  std::map<std::uint64_t, std::uint64_t> committed = db.committed();
  const std::size_t all = committed.size();
  if (start == StartMode::RetryFailed) {
    for (std::size_t i = 0; i < chain.stages().size(); ++i) {
      if (chain.stages()[i].offer.role != Role::Fetcher) continue;
      for (const std::uint64_t ordinal : db.unsettled(i)) committed.erase(ordinal);
    }
    if (committed.size() < all) db.reopen();
  }
  Done done;
  for (const auto& [ordinal, objects] : committed) {
    done.batches.insert(ordinal);
    done.objects += objects;
  }
  return done;
}

struct Work {
  Chain& chain;
  const RunOptions& options;
  RunDirectory* directory;  // none in a dry run
  RunDb& db;
  Done before;
  Trace* trace;
  CallbackGuard& guard;
  CrashFile* crashes = nullptr;  // none in a dry run
};

std::optional<std::uint64_t> objects_total(const Work& work) {
  const ChainStage& source = work.chain.stages().front();
  std::optional<std::uint64_t> total;
  guarded_opening(source, [&] { total = static_cast<const Source&>(*source.stage).size(); });
  if (total) total = *total - std::min(*total, work.options.skip);
  if (work.options.limit) {
    total = total ? std::min(*total, *work.options.limit) : *work.options.limit;
  }
  return total;
}

// For `qsohost status`.
void note_start(const Work& work) {
  std::string stages;
  for (const ChainStage& stage : work.chain.stages()) {
    stages += fmt::format("{} {}\n", name_of(stage.offer.role), stage.label);
  }
  work.db.note_start();
  work.db.set_meta("chain", work.chain.settings().name);
  work.db.set_meta("stages", stages);
  work.db.set_meta("command", work.options.command);
  if (const auto total = objects_total(work)) work.db.set_meta("objects", std::to_string(*total));
}

std::function<void(std::uint64_t, const std::string&)> progress_of(const Work& work,
                                                                   const HttpConnection& http) {
  if (!work.options.progress) return {};
  const std::optional<std::uint64_t> total = objects_total(work);
  const auto begin = std::chrono::steady_clock::now();
  return [=, &work, &http](std::uint64_t objects, const std::string& stage) {
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
    const std::string waiting = http.waiting();
    const std::string at = waiting.empty() ? stage : stage + " waiting for " + waiting;
    work.options.progress({work.before.objects + objects, total, objects, elapsed.count(), at});
  };
}

// Batches that no run will do again.
std::set<std::uint64_t> settled_batches(const Chain& chain, const RunDb& db) {
  std::set<std::uint64_t> settled;
  for (const auto& [ordinal, objects] : db.committed()) settled.insert(ordinal);
  for (std::size_t i = 0; i < chain.stages().size(); ++i) {
    if (chain.stages()[i].offer.role != Role::Fetcher) continue;
    for (const std::uint64_t ordinal : db.unsettled(i)) settled.erase(ordinal);
  }
  return settled;
}

fs::path ledger_file(const Work& work) {
  return work.directory == nullptr ? fs::path() : work.directory->folder() / "run.db";
}

void execute(Work& work, RunReport& report) {
  const auto begin = std::chrono::steady_clock::now();
  std::optional<OpenChain> open;
  std::optional<HttpConnection> http;
  Executor::Settings settings;
  std::vector<std::string> passing;
  try {
    open.emplace(work.chain, work.options, work.directory);
    http.emplace(work.chain, work.options, ledger_file(work), settled_batches(work.chain, work.db));
    settings = executor_settings(work.chain, work.options);
    settings.progress = progress_of(work, *http);
    const std::function<void(const BatchRecord&)> committed = [&](const BatchRecord& batch) {
      if (work.crashes != nullptr) work.crashes->committed(batch.ordinal);
      http->committed(batch);
    };
    settings.committed = work.guard.guard("clearing up behind a batch", committed);
    passing = passing_sinks(work.chain);
    if (!work.options.dry_run) note_start(work);
  } catch (const CannotOpen& e) {
    report.error = e.what();
    const bool interrupted = work.options.interrupts != nullptr && *work.options.interrupts > 0;
    report.end = interrupted ? RunEnd::Interrupted : RunEnd::Failed;
    return;
  }
  Executor executor(work.chain, std::move(settings), work.db, work.before.batches, work.trace);
  executor.run();
  report.error = executor.error();
  const bool interrupted = report.error.empty() && !executor.is_complete();
  if (executor.is_complete() && !work.options.dry_run) {
    try {
      work.db.set_meta("complete", "1");
      report.products = make_products(work.chain, work.db);
      work.db.finish(report.products);
    } catch (const std::exception& e) {
      report.error = e.what();
    }
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  report.seconds = elapsed.count();
  fill_report(work.chain, work.db, &executor, report);
  for (std::string& note : http->notes()) report.notes.push_back(std::move(note));
  if (!report.error.empty()) {
    report.end = RunEnd::Failed;
  } else if (interrupted) {
    report.end = RunEnd::Interrupted;
  } else {
    report.end = has_unsettled(report) ? RunEnd::Unsettled : RunEnd::Done;
    if (work.crashes != nullptr) work.crashes->clear();
    // Failed objects can be tried again, and then their batches' chunks are written anew.
    if (report.end == RunEnd::Done && work.directory != nullptr) {
      work.directory->remove_chunks(passing);
      work.directory->remove_received();
    }
  }
}

void warn_of_crashes(const RunOptions& options, const fs::path& folder, CrashFile& crashes) {
  if (options.start == StartMode::Restart) crashes.clear();
  if (!options.log) return;
  for (const std::string& line : CrashFile::read(folder / kCrashFile)) {
    options.log(LogLevel::Warning, fmt::format("the program ended here before: {}", line));
  }
}

RunReport run_guarded(Chain& chain, const RunOptions& options, CallbackGuard& guard) {
  RunReport report;
  report.run_dir = options.run_dir;
  // First, since --restart throws away what a mistyped name should not cost.
  std::optional<Trace> trace;
  if (!options.trace.empty()) trace.emplace(options.trace);
  Trace* const tracer = trace ? &*trace : nullptr;
  if (options.dry_run) {
    RunDb db("");
    Work work{chain, options, nullptr, db, {}, tracer, guard};
    execute(work, report);
    return report;
  }
  RunDirectory directory(options.run_dir, options.start, fingerprint(chain, options));
  RunDb& db = directory.db();
  Done before = done_before(chain, db, options.start);
  if (db.is_finished()) {
    report.products = db.products();
    fill_report(chain, db, nullptr, report);
    report.end = has_unsettled(report) ? RunEnd::Unsettled : RunEnd::Done;
    report.notes.insert(report.notes.begin(), "this run was finished already; nothing was done");
    return report;
  }
  CrashFile crashes(directory.folder() / kCrashFile);
  warn_of_crashes(options, directory.folder(), crashes);
  Work work{chain, options, &directory, db, std::move(before), tracer, guard, &crashes};
  execute(work, report);
  return report;
}

}  // namespace

RunReport run(Chain& chain, const RunOptions& options) {
  CallbackGuard guard;
  RunOptions guarded = options;
  guarded.progress = guard.guard("the display of progress", options.progress);
  guarded.log = guard.guard("the log of the host", options.log);
  RunReport report = run_guarded(chain, guarded, guard);
  for (std::string& note : guard.notes()) report.notes.push_back(std::move(note));
  return report;
}

}  // namespace qsohost::inline v1
