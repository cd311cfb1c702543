// The scripts of a folder of shards, from the files in submit/templates/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "submit/manifest.hpp"

namespace qsohost::cli {

std::string_view script_template(std::string_view file);  // "" for an unknown one

// Tasks of the array that work on these shards: "0-39%10", "3,17,20-22".
std::string array_of(const std::vector<std::uint64_t>& shards, const Manifest& manifest);

struct Script {
  std::string file;  // in the folder
  std::string text;
};
// For Slurm: shards.sbatch, merge.sbatch and, if there is something to fetch, fetch.sbatch.
// For others fetch.sbatch and merge.sbatch too, which are plain shell scripts. `retries`: objects
// that failed are done again.
std::vector<Script> scripts_of(const std::filesystem::path& folder, const Manifest& manifest,
                               bool retries);

}  // namespace qsohost::cli
