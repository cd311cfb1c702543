// DIR/shards.toml: what the shards in a folder are, written once by `qsohost submit`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qsohost/host/chain.hpp"

namespace qsohost::cli {

enum class Scheduler : std::uint8_t { Slurm, Pbs, HtCondor };
std::string_view name_of(Scheduler scheduler);  // as --scheduler has it

struct Manifest {
  Scheduler scheduler = Scheduler::Slurm;
  std::uint64_t shards = 0;
  std::string by = "rows";  // or "hash"
  std::filesystem::path chain;
  std::string name;     // of the chain
  std::string digest;   // see digest_of()
  std::string version;  // of qsohost
  std::string program;  // the path of qsohost
  Overrides overrides;
  std::vector<std::filesystem::path> plugins;
  bool allows_insecure_plugins = false;
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
// Of the number in a shard's folder: as many as the last one needs, three at least.
std::size_t shard_digits(const Manifest& manifest);
// "shard-007"
std::filesystem::path shard_folder(const std::filesystem::path& folder, const Manifest& manifest,
                                   std::uint64_t shard);

bool has_shards(const std::filesystem::path& folder);
// Throws UsageError that names file and line, or says that there is none.
Manifest read_manifest(const std::filesystem::path& folder);
// Throws RunError.
void write_manifest(const std::filesystem::path& folder, const Manifest& manifest);

}  // namespace qsohost::cli
