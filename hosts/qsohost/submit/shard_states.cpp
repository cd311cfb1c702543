#include "submit/shard_states.hpp"

#include "qsohost/error.hpp"

namespace qsohost::cli {
namespace {

namespace fs = std::filesystem;

ShardState state_of(const RunStatus& run) {
  if (run.is_running) return ShardState::Running;
  if (run.is_finished) {
    return run.report.end == RunEnd::Unsettled ? ShardState::Unsettled : ShardState::Done;
  }
  if (!run.error.empty()) return ShardState::Failed;
  if (run.is_fetched && run.batches == 0 && !run.holder) return ShardState::Fetched;
  // Who ends by itself removes what says that it works there.
  return run.holder ? ShardState::Killed : ShardState::Stopped;
}

ShardStatus status_of(const fs::path& run_dir) {
  ShardStatus status;
  if (!fs::exists(run_dir)) return status;
  try {
    status.run = run_status(run_dir);
  } catch (const Error& e) {
    // It ended before there was a ledger; its log says why.
    if (!fs::exists(run_dir / ".qsohost/run.db")) return status;
    status.state = ShardState::Failed;
    status.problem = e.what();
    return status;
  }
  status.state = state_of(*status.run);
  status.problem = status.run->error;
  if (!status.run->crashes.empty() && !is_done(status.state)) {
    status.problem = status.run->crashes.back();
  }
  if (!status.run->report.stages.empty()) {
    status.epochs = status.run->report.stages.back().epochs_in;
  }
  return status;
}

}  // namespace

std::string_view name_of(ShardState state) {
  switch (state) {
    case ShardState::NeverStarted:
      return "never started";
    case ShardState::Fetched:
      return "fetched";
    case ShardState::Running:
      return "running";
    case ShardState::Stopped:
      return "stopped";
    case ShardState::Killed:
      return "killed";
    case ShardState::Failed:
      return "failed";
    case ShardState::Unsettled:
      return "done, some unsettled";
    case ShardState::Done:
      return "done";
  }
  return "";
}

bool is_done(ShardState state) {
  return state == ShardState::Done || state == ShardState::Unsettled;
}

std::vector<ShardStatus> shard_states(const fs::path& folder, const Manifest& manifest) {
  std::vector<ShardStatus> out;
  for (std::uint64_t shard = 0; shard < manifest.shards; ++shard) {
    out.push_back(status_of(shard_folder(folder, manifest, shard)));
    out.back().shard = shard;
  }
  return out;
}

bool run_is_finished(const fs::path& run_dir) {
  const ShardStatus status = status_of(run_dir);
  return status.run && status.run->is_finished;
}

}  // namespace qsohost::cli
