// What has become of each shard, as its run directory tells; no scheduler is asked.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qsohost/host/run.hpp"
#include "submit/manifest.hpp"

namespace qsohost::cli {

enum class ShardState : std::uint8_t {
  NeverStarted,
  Fetched,  // its answers are there, and it computes nothing yet
  Running,
  Stopped,  // by a signal, and resumable
  Killed,   // without a last word
  Failed,
  Unsettled,  // done, some objects unsettled
  Done,
};
std::string_view name_of(ShardState state);
bool is_done(ShardState state);

struct ShardStatus {
  std::uint64_t shard = 0;
  ShardState state = ShardState::NeverStarted;
  std::optional<RunStatus> run;  // of its run directory; none if it was never started
  std::string problem;           // why it failed
  std::uint64_t epochs = 0;      // committed, as the last stage saw them
};

std::vector<ShardStatus> shard_states(const std::filesystem::path& folder,
                                      const Manifest& manifest);

// Whether there is a complete run, or a complete merge, in this folder.
bool run_is_finished(const std::filesystem::path& run_dir);

}  // namespace qsohost::cli
