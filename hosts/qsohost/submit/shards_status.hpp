// `qsohost status DIR` for a folder of shards.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "submit/manifest.hpp"

namespace qsohost::cli {

// A line a shard, then sums and what to do. Throws UsageError without a valid manifest.
std::string shards_as_text(const std::filesystem::path& folder);
std::string shards_as_json(const std::filesystem::path& folder);

// The run directories of those shards that were started; of a folder without shards itself.
std::vector<std::filesystem::path> started_runs(const std::filesystem::path& folder);

}  // namespace qsohost::cli
