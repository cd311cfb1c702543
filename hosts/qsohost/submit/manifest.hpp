// DIR/shards.toml: what the shards in a folder are, written once by `qsohost submit`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "qsohost/host/chain.hpp"

namespace qsohost::cli {

struct Manifest {
  std::uint64_t shards = 0;
  std::string by = "rows";  // or "hash"
  std::filesystem::path chain;
  std::string name;     // of the chain
  std::string digest;   // of the effective chain, see Chain::hash()
  std::string version;  // of qsohost
  std::string program;  // the path of qsohost
  Overrides overrides;
  std::vector<std::filesystem::path> plugins;
  // Plugins and scripts of all its stages: the merge knows only the names of these.
  std::vector<std::filesystem::path> stage_files;
  bool fetches_first = false;
  bool shares_connections = false;  // each shard asks archives itself
  std::uint64_t shards_per_task = 1;
  std::uint64_t max_running = 0;  // tasks; 0: as many as the site allows
  std::string scheduler_options;  // of sbatch
  std::string fetch_options;      // in their place for the fetch job; "": the same
};

std::filesystem::path manifest_file(const std::filesystem::path& folder);
// "shard-007": as many digits as the last one needs, three at least.
std::filesystem::path shard_folder(const std::filesystem::path& folder, const Manifest& manifest,
                                   std::uint64_t shard);

bool has_shards(const std::filesystem::path& folder);
// Throws UsageError that names file and line, or says that there is none.
Manifest read_manifest(const std::filesystem::path& folder);
// Throws RunError.
void write_manifest(const std::filesystem::path& folder, const Manifest& manifest);

}  // namespace qsohost::cli
