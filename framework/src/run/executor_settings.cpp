#include "run/executor_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <string_view>
#include <thread>

#include "chain/stage_call.hpp"
#include "qsohost/error.hpp"
#include "run/fetch_job.hpp"

namespace qsohost::inline v1 {

namespace {

void check_limit(std::string_view what, int number, int most) {
  if (number <= most) return;
  throw UsageError(fmt::format("{} {}: there can be at most {}", number, what, most));
}

int lanes_of(const ChainStage& stage) {
  switch (stage.offer.role) {
    case Role::Fetcher:
      return std::max(1, static_cast<const Fetcher&>(*stage.stage).lanes());
    case Role::Filter:
    case Role::Fitter:
      return std::max(0, stage.stage->max_parallel());
    case Role::Source:
    case Role::Sink:
      break;
  }
  return 0;
}

// By stage, of the first `count`; 0 for those without threads of their own.
std::vector<int> lanes_of(const Chain& chain, std::size_t count) {
  std::vector<int> lanes(chain.stages().size());
  for (std::size_t i = 0; i < count; ++i) {
    const ChainStage& stage = chain.stages()[i];
    guarded(stage, nullptr, [&] { lanes[i] = lanes_of(stage); });
    check_limit(fmt::format("lanes of stage '{}'", stage.label), lanes[i], kMostLanes);
  }
  return lanes;
}

}  // namespace

std::size_t stages_to_run(const Chain& chain, const RunOptions& options) {
  return options.fetch_only ? stages_to_fetch(chain) : chain.stages().size();
}

Executor::Settings executor_settings(const Chain& chain, const RunOptions& options) {
  check_limit("threads", options.threads, kMostThreads);
  check_limit("batches in flight", options.in_flight, kMostInFlight);
  Executor::Settings settings;
  settings.threads = options.threads > 0
                         ? options.threads
                         : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  settings.stages = stages_to_run(chain, options);
  settings.lanes = lanes_of(chain, settings.stages);
  const std::int64_t workers =
      std::accumulate(settings.lanes.begin(), settings.lanes.end(), std::int64_t{settings.threads});
  settings.in_flight = options.in_flight > 0
                           ? options.in_flight
                           : static_cast<int>(std::min<std::int64_t>(workers + 2, kMostInFlight));
  settings.batch_rows = chain.settings().batch_rows;
  settings.batch_bytes = chain.settings().batch_megabytes << 20;
  if (options.in_flight == 0) settings.in_flight_bytes = 2 * settings.batch_bytes;
  settings.with_sinks = !options.dry_run;
  if (options.dry_run) settings.batch_done = options.batch_done;
  return settings;
}

}  // namespace qsohost::inline v1
