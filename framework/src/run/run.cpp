#include "qsohost/host/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <new>

#include "base/caught.hpp"
#include "base/interrupted.hpp"
#include "base/secrets.hpp"
#include "chain/stage_call.hpp"
#include "chain/stage_options.hpp"
#include "qsohost/error.hpp"
#include "run/callback_guard.hpp"
#include "run/changed_inputs.hpp"
#include "run/crash.hpp"
#include "run/earlier_run.hpp"
#include "run/executor.hpp"
#include "run/executor_settings.hpp"
#include "run/fetch_job.hpp"
#include "run/fetch_notes.hpp"
#include "run/http_connection.hpp"
#include "run/ledger_report.hpp"
#include "run/make_products.hpp"
#include "run/open_chain.hpp"
#include "run/part.hpp"
#include "run/run_directory.hpp"
#include "run/run_monitor.hpp"
#include "run/trace.hpp"

namespace qsohost::inline v1 {

namespace {

namespace fs = std::filesystem;

// The ledger's totals of this and earlier runs, and the times of this one.
void fill_report(const Chain& chain, const RunDb& db, const Executor& executor, RunReport& report) {
  fill_report(chain, db, report);
  report.objects_this_run = executor.objects();
  for (std::size_t i = 0; i < chain.stages().size(); ++i) {
    StageReport& stage = report.stages[i];
    const StageClock clock = executor.clock(i);
    stage.objects_this_run = clock.objects;
    stage.busy_seconds = clock.busy;
    stage.waiting_seconds = clock.waiting;
    const auto workers = static_cast<double>(executor.workers(i));
    if (report.seconds > 0) stage.utilisation = clock.busy / (report.seconds * workers);
  }
}

// Sinks whose chunks are no longer needed once there are products.
std::vector<std::string> passing_sinks(const Chain& chain) {
  std::vector<std::string> labels;
  for (const ChainStage& stage : chain.stages()) {
    if (stage.offer.role != Role::Sink) continue;
    bool keeps = false;
    guarded(stage, nullptr, [&] { keeps = static_cast<const Sink&>(*stage.stage).keeps_chunks(); });
    if (!keeps) labels.push_back(stage.label);
  }
  return labels;
}

RunFacts facts_of(const Chain& chain, const RunOptions& options) {
  const bool uses_secrets = std::ranges::any_of(
      chain.stages(), [](const ChainStage& s) { return uses_secret(*s.stage); });
  RunFacts facts{chain.effective(), inputs_of(chain), uses_secrets};
  for (std::string& line : part_lines(options)) facts.effective.push_back(std::move(line));
  return facts;
}

struct RunState {
  Chain& chain;
  const RunOptions& options;
  RunDirectory* directory;  // null in a dry run
  RunDb& db;
  DoneBefore before;
  Trace* trace;
  CallbackGuard& guard;
  RunMonitor& monitor;
  CrashFile* crashes = nullptr;  // null in a dry run
  Part part{};                   // once the source is open
  FetchTotals fetched{};         // of a fetch job
};

std::optional<std::uint64_t> source_size(const Chain& chain) {
  const ChainStage& source = chain.stages().front();
  std::optional<std::uint64_t> size;
  guarded(source, nullptr, [&] { size = static_cast<const Source&>(*source.stage).size(); });
  return size;
}

std::optional<std::uint64_t> objects_total(const RunState& work) {
  return objects_in(work.part, source_size(work.chain));
}

void store_source_counts(const RunState& work) {
  const ChainStage& source = work.chain.stages().front();
  guarded(source, nullptr, [&] {
    store_source_counts(static_cast<const Source&>(*source.stage).counts(), work.db);
  });
}

// For `qsohost status`.
void note_start(const RunState& work) {
  std::string stages;
  for (const ChainStage& stage : work.chain.stages()) {
    stages += fmt::format("{} {}\n", name_of(stage.offer.role), stage.label);
  }
  work.db.note_start();
  work.db.set_meta("chain", work.chain.settings().name);
  work.db.set_meta("stages", stages);
  work.db.set_meta("command", work.options.command);
  if (work.options.shard) work.db.set_meta("shard", to_text(*work.options.shard));
  if (const auto total = objects_total(work)) work.db.set_meta("objects", std::to_string(*total));
  if (const auto size = source_size(work.chain)) {
    work.db.set_meta("source size", std::to_string(*size));
  }
  store_source_counts(work);
}

// For the monitor.
std::function<Progress()> progress_of(std::uint64_t before, std::optional<std::uint64_t> total,
                                      const Executor& executor, const HttpConnection& http,
                                      FetchNotes& notes) {
  const auto begin = std::chrono::steady_clock::now();
  return [=, &executor, &http, &notes] {
    Progress progress;
    executor.fill(progress);
    progress.objects_done = before + progress.objects_this_run;
    progress.objects_total = total;
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
    progress.seconds = elapsed.count();
    const std::string waiting = http.waiting();
    if (!waiting.empty()) progress.stage += " waiting for " + waiting;
    progress.fetching = http.fetching();
    progress.archives = http.notes();
    notes.update(progress);
    return progress;
  };
}

fs::path ledger_of(const RunState& work) {
  return work.directory == nullptr ? fs::path() : ledger_file(work.directory->folder());
}

// Makes the products, once everything has been read and committed.
void finish(RunState& work, const Executor& executor, ProductFiles& products, RunReport& report) {
  if (const auto end = executor.source_end()) {
    work.db.set_meta("source end", std::to_string(*end));
  }
  work.db.set_meta("complete", "1");
  make_products(work.chain, chunks_of(work.chain, work.db), products);
  work.db.finish();
  report.products = products.paths();
}

void check_products(RunState& work, ProductFiles& products) {
  const bool has_begun = work.db.meta("started").has_value();
  try {
    products.check(work.chain, work.db.inputs());
  } catch (const Error&) {
    // Nothing was done: with another path the chain may start in this directory.
    if (!has_begun) work.db.discard();
    throw;
  }
}

// Removes what is no longer needed when a run is done and nothing can be retried.
void tidy_up(const RunState& work, const std::vector<std::string>& passing, HttpConnection& http) {
  http.drop_answers();
  work.directory->remove_chunks(passing);
  work.directory->remove_received();
}

// A batch of a fetch job: its responses are stored already.
std::function<void(const BatchRecord&)> note_fetched(RunState& work) {
  return [&work](const BatchRecord& batch) {
    work.db.note_fetched(batch.ordinal, is_settled(batch, work.chain));
    work.fetched.add(batch);
  };
}

void execute(RunState& work, RunReport& report) {
  const auto begin = std::chrono::steady_clock::now();
  std::optional<HttpConnection> http;
  std::optional<OpenChain> open;
  std::optional<ProductFiles> products;
  std::optional<FetchNotes> notes;
  Progress at_first;
  at_first.objects_done = work.before.objects;
  work.monitor.show(std::move(at_first));
  Executor::Settings settings;
  std::vector<std::string> passing;
  try {
    http.emplace(work.chain, work.options, ledger_of(work), settled_batches(work.chain, work.db));
    open.emplace(work.chain, work.options, work.directory, stages_to_run(work.chain, work.options));
    work.part = open->part();
    settings = executor_settings(work.chain, work.options);
    settings.part = work.part;
    settings.interrupts = &open->interrupts();
    settings.was_stopped = [&](std::size_t stage) { return open->was_stopped(stage); };
    notes.emplace(work.db, open->interrupts(), work.options.log);
    const std::function<void(const BatchRecord&)> committed = [&](const BatchRecord& batch) {
      if (work.crashes != nullptr) work.crashes->committed(batch.ordinal);
      if (!work.options.fetch_only) http->committed(batch);
    };
    settings.committed = work.guard.guard("clearing up behind a batch", committed);
    if (work.options.fetch_only) settings.fetched = note_fetched(work);
    // Those of a shard are for the merge.
    if (!work.options.shard) passing = passing_sinks(work.chain);
    if (!work.options.dry_run && !work.options.fetch_only) {
      products.emplace(work.directory->folder(), work.db);
      check_products(work, *products);
    }
    if (!work.options.dry_run) note_start(work);
  } catch (const UsageError&) {
    // Nothing was done: once corrected, the chain may start in this directory.
    if (work.directory != nullptr && !work.db.meta("started")) work.db.discard();
    throw;
  } catch (const Interrupted&) {
    report.end = RunEnd::Interrupted;
    return;
  } catch (const RunError& e) {
    report.error = e.what();
    const bool interrupted = work.options.interrupts != nullptr && *work.options.interrupts > 0;
    report.end = interrupted ? RunEnd::Interrupted : RunEnd::Failed;
    return;
  }
  const std::uint64_t before = work.before.objects;
  Executor executor(work.chain, std::move(settings), work.db, std::move(work.before), work.trace);
  const RunMonitor::Shown shown(work.monitor,
                                progress_of(before, objects_total(work), executor, *http, *notes));
  executor.run();
  report.error = executor.error();
  const bool interrupted = report.error.empty() && !executor.is_complete();
  try {
    store_source_counts(work);
    if (executor.is_complete() && !work.options.dry_run) {
      if (work.options.fetch_only) {
        work.db.set_meta("fetched", "1");
      } else {
        finish(work, executor, *products, report);
      }
    }
  } catch (...) {
    if (report.error.empty()) report.error = current_exception_message();
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  report.seconds = elapsed.count();
  fill_report(work.chain, work.db, executor, report);
  work.fetched.fill(report);
  for (std::string& note : http->notes()) report.notes.push_back(std::move(note));
  if (!report.error.empty()) {
    report.end = RunEnd::Failed;
  } else if (interrupted) {
    report.end = RunEnd::Interrupted;
  } else {
    report.end = has_unsettled(report) ? RunEnd::Unsettled : RunEnd::Done;
    if (work.crashes != nullptr) work.crashes->clear();
    // Failed objects can be retried, and then their batches' chunks are written again.
    const bool has_products = work.directory != nullptr && !work.options.fetch_only;
    if (report.end == RunEnd::Done && has_products) tidy_up(work, passing, *http);
  }
}

// Offline, every object of a run without responses would fail.
void require_fetched(const Chain& chain, const RunOptions& options, RunDb& db) {
  if (!options.offline || !sends_requests(chain) || db.meta("fetched")) return;
  if (!db.meta("started")) db.discard();
  throw UsageError(fmt::format(
      "--offline: the responses of the archives are not all in run directory {}; get them first, "
      "with the same command and --fetch-only instead of --offline{}",
      options.run_dir.string(), db.meta("started") ? " (--fetch-only --resume)" : ""));
}

void warn_of_crashes(const RunOptions& options, const fs::path& work, CrashFile& crashes) {
  if (options.start == StartMode::Restart) crashes.clear();
  if (!options.log) return;
  for (const std::string& line : CrashFile::read(work / kCrashFile)) {
    options.log(LogLevel::Warning, fmt::format("the program ended here before: {}", line));
  }
}

// For `qsohost status`, which may be asked on another host.
void note_error(RunDb& db, const RunReport& report, const RunDirectory::Warn& warn) {
  if (report.end != RunEnd::Failed) return;
  try {
    db.set_meta("error", without_secrets(report.error));
  } catch (const std::exception& e) {
    warn(fmt::format("the error could not be noted in the ledger: {}", e.what()));
  }
}

RunReport run_guarded(Chain& chain, const RunOptions& options, CallbackGuard& guard) {
  check_shard(options);
  check_fetch_options(chain, options);
  RunReport report;
  report.run_dir = options.run_dir;
  // First, so that a mistyped name fails before --restart deletes anything.
  std::optional<Trace> trace;
  if (!options.trace.empty()) trace.emplace(options.trace);
  Trace* const tracer = trace ? &*trace : nullptr;
  RunMonitor monitor(chain, options);
  if (options.dry_run) {
    RunDb db("");
    RunState work{chain, options, nullptr, db, {}, tracer, guard, monitor};
    execute(work, report);
    return report;
  }
  const RunFacts facts = facts_of(chain, options);
  const auto warn = [&](const std::string& text) {
    if (options.log) options.log(LogLevel::Warning, text);
  };
  RunDirectory directory(options, facts, warn);
  RunDb& db = directory.db();
  ProductFiles(directory.folder(), db).remove_temporaries();
  try {
    if (options.start != StartMode::RetryFailed || unsettled_batches(chain, db).empty()) {
      if (is_done_already(chain, directory, report)) return report;
    }
    if (!prepare(chain, options, directory, facts)) {
      report.end = RunEnd::Interrupted;
      return report;
    }
  } catch (const RunError& e) {
    report.error = e.what();
    report.end = RunEnd::Failed;
    return report;
  }
  require_fetched(chain, options, db);
  CrashFile crashes(directory.work_folder() / kCrashFile);
  warn_of_crashes(options, directory.work_folder(), crashes);
  RunState work{chain, options, &directory, db, done_before(db), tracer, guard, monitor, &crashes};
  if (options.fetch_only) {
    work.before.fetched = db.fetched(options.start == StartMode::RetryFailed);
  }
  execute(work, report);
  note_error(db, report, warn);
  return report;
}

}  // namespace

namespace {

std::function<void(LogLevel, const std::string&)> without_secrets_in(
    std::function<void(LogLevel, const std::string&)> log) {
  if (!log) return log;
  return [log = std::move(log)](LogLevel level, const std::string& text) {
    log(level, without_secrets(text));
  };
}

}  // namespace

RunReport run(Chain& chain, const RunOptions& options) {
  CallbackGuard guard;
  RunOptions guarded = options;
  guarded.progress = guard.guard("the display of progress", options.progress);
  guarded.log = guard.guard("the log of the host", without_secrets_in(options.log));
  RunReport report;
  try {
    report = run_guarded(chain, guarded, guard);
  } catch (const std::bad_alloc&) {
    throw RunError(kOutOfMemory);
  }
  for (std::string& note : guard.notes()) report.notes.push_back(std::move(note));
  report.error = without_secrets(std::move(report.error));
  for (std::string& note : report.notes) note = without_secrets(std::move(note));
  return report;
}

}  // namespace qsohost::inline v1
