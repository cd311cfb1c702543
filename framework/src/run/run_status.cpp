// The status of a run directory, whether a run is going on in it or not.
#include <fmt/format.h>

#include <sstream>

#include "qsohost/error.hpp"
#include "run/crash.hpp"
#include "run/fetch_notes.hpp"
#include "run/ledger_report.hpp"
#include "run/run_directory.hpp"

namespace qsohost::inline v1 {

namespace {

namespace fs = std::filesystem;

struct StageName {
  Role role = Role::Source;
  std::string label;
};

std::unique_ptr<RunDb> ledger(const fs::path& run_dir) {
  require_run(run_dir);
  return RunDb::look_at(ledger_file(run_dir));
}

Role role_of(std::string_view name) {
  for (const Role role : {Role::Source, Role::Fetcher, Role::Filter, Role::Fitter, Role::Sink}) {
    if (name_of(role) == name) return role;
  }
  return Role::Source;
}

std::vector<StageName> stages_of(const RunDb& db) {
  std::vector<StageName> stages;
  std::istringstream lines(db.meta("stages").value_or(""));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t blank = line.find(' ');
    stages.push_back({role_of(line.substr(0, blank)), line.substr(blank + 1)});
  }
  return stages;
}

// A single batch gives no rate.
void add_pace(const RunDb& db, RunStatus& status) {
  const RunDb::Pace pace = db.pace();
  status.batches = pace.batches;
  if (pace.objects_lately == 0 || pace.seconds <= 0) return;
  status.rate = static_cast<double>(pace.objects_lately) / pace.seconds;
  if (!status.is_running || !status.objects_total) return;
  const std::uint64_t total = *status.objects_total;
  const std::uint64_t left = total - std::min(total, status.report.objects);
  status.seconds_to_go = static_cast<double>(left) / *status.rate;
}

}  // namespace

RunStatus run_status(const fs::path& run_dir) {
  RunStatus status;
  // Before the ledger is read: a run that ends in between is then reported as running, not as
  // aborted.
  status.holder = read_holder(work_folder(run_dir));
  status.is_running =
      FolderLock::is_held(run_dir) || (status.holder && is_alive_elsewhere(*status.holder));
  const std::unique_ptr<RunDb> db = ledger(run_dir);
  status.chain = db->meta("chain").value_or("");
  status.is_finished = db->is_finished();
  status.is_fetched = db->meta("fetched").has_value();
  status.crashes = CrashFile::read(work_folder(run_dir) / kCrashFile);
  status.begun = db->meta("begun").value_or("");
  status.started = db->meta("started").value_or(status.begun);
  status.command = db->meta("command").value_or("");
  status.error = db->meta("error").value_or("");
  status.objects_total = db->number("objects");
  status.report.objects = db->committed_objects();
  const std::vector<StageName> stages = stages_of(*db);
  for (std::size_t i = 0; i < stages.size(); ++i) {
    StageReport stage = stage_report(stages[i].label, stages[i].role, i, *db);
    add_notes(stage, i, *db, status.report);
    status.report.stages.push_back(std::move(stage));
  }
  // If the run is not finished (any more), its products belong to another state.
  if (status.is_finished) {
    for (const ProductRecord& product : db->products()) {
      if (!product.now.empty()) status.report.products.push_back(resolved(run_dir) / product.path);
    }
  }
  status.report.end = !status.is_finished            ? RunEnd::Interrupted
                      : has_unsettled(status.report) ? RunEnd::Unsettled
                                                     : RunEnd::Done;
  add_pace(*db, status);
  if (status.is_running) {
    status.fetching = fetching_from_text(db->meta("fetching").value_or(""));
  }
  if (const auto folders = db->meta("merged from")) {
    status.report.objects = status.objects_total.value_or(0);
    status.report.notes.push_back(
        fmt::format("merged from {}; `qsohost status` of these lists their objects", *folders));
  }
  return status;
}

void each_object(const fs::path& run_dir, Outcome outcome,
                 const std::function<bool(const ObjectStatus&)>& visit) {
  const std::unique_ptr<RunDb> db = ledger(run_dir);
  const std::vector<StageName> stages = stages_of(*db);
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const bool goes_on = db->each_object(i, outcome, [&](const ObjectLine& line) {
      const bool is_matched = outcome == Outcome::Matched;
      return visit({line.record.source_id, stages[i].label, outcome, line.attempts, line.updated,
                    is_matched ? line.record.detail : line.record.reason});
    });
    if (!goes_on) return;
  }
}

}  // namespace qsohost::inline v1
