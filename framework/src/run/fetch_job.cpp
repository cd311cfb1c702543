#include "run/fetch_job.hpp"

#include <fmt/format.h>

#include <string_view>

#include "qsohost/error.hpp"
#include "qsohost/http.hpp"
#include "qsohost/own_client.hpp"

namespace qsohost::inline v1 {

namespace {

constexpr std::size_t kMostReasons = 5;

std::uint64_t& count_of(Outcome outcome, StageTotals& totals) {
  switch (outcome) {
    case Outcome::Matched:
      return totals.matched;
    case Outcome::NotFound:
      return totals.not_found;
    case Outcome::Failed:
      return totals.failed;
    case Outcome::BadObject:
      break;
  }
  return totals.bad;
}

}  // namespace

void check_fetch_options(const Chain& chain, const RunOptions& options) {
  if (!options.fetch_only && !options.offline) return;
  const char* const which = options.fetch_only ? "--fetch-only" : "--offline";
  const auto refuse = [&](std::string_view why) {
    throw UsageError(fmt::format("{}: {}", which, why));
  };
  if (options.fetch_only && options.offline) {
    refuse("sends requests, but --offline forbids them; take one of the two");
  }
  if (options.offline && options.start == StartMode::Restart) {
    refuse("--restart would throw the stored responses away; leave out one of the two");
  }
  if (options.dry_run) refuse("a dry run stores nothing; leave out one of the two");
  if (!options.record.empty() || !options.replay.empty()) {
    refuse("responses are stored in the run directory; leave out --record and --replay");
  }
  if (options.accept_changed_inputs) {
    refuse("responses are stored by batch; leave out --accept-changed-inputs");
  }
  for (const ChainStage& stage : chain.stages()) {
    const auto* const own = dynamic_cast<const OwnClient*>(stage.stage.get());
    if (own == nullptr || !own->sends_requests()) continue;
    refuse(
        fmt::format("stage '{}' sends requests by itself, whose responses cannot be stored; "
                    "leave out the stage, or the option",
                    stage.label));
  }
  if (options.fetch_only && stages_to_fetch(chain) == 0) {
    refuse("no stage of this chain sends requests; run it without");
  }
}

std::size_t stages_to_fetch(const Chain& chain) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < chain.stages().size(); ++i) {
    if (dynamic_cast<const HttpStage*>(chain.stages()[i].stage.get()) != nullptr) count = i + 1;
  }
  return count;
}

bool sends_requests(const Chain& chain) {
  return stages_to_fetch(chain) > 0;
}

void FetchTotals::add(const BatchRecord& batch) {
  const std::lock_guard lock(mutex_);
  stages_.resize(batch.stages.size());
  for (std::size_t i = 0; i < batch.stages.size(); ++i) {
    const StageRecord& stage = batch.stages[i];
    StageTotals& totals = stages_[i];
    totals.sums.objects_in += stage.objects_in;
    totals.sums.objects_out += stage.objects_out;
    totals.sums.epochs_in += stage.epochs_in;
    totals.sums.epochs_out += stage.epochs_out;
    for (const ObjectRecord& object : stage.objects) {
      ++count_of(object.outcome, totals);
      const bool is_told = object.outcome == Outcome::Failed && reasons_.size() < kMostReasons;
      if (is_told) reasons_.push_back(fmt::format("{}: {}", object.source_id, object.reason));
    }
  }
}

void FetchTotals::fill(RunReport& report) const {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    const StageTotals& totals = stages_[i];
    StageReport& stage = report.stages.at(i);
    stage.objects_in += totals.sums.objects_in;
    stage.objects_out += totals.sums.objects_out;
    stage.epochs_in += totals.sums.epochs_in;
    stage.epochs_out += totals.sums.epochs_out;
    stage.matched += totals.matched;
    stage.not_found += totals.not_found;
    stage.failed += totals.failed;
    stage.bad += totals.bad;
  }
  report.notes.insert(report.notes.end(), reasons_.begin(), reasons_.end());
}

}  // namespace qsohost::inline v1
