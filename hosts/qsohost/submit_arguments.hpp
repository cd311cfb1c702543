// The command line of `qsohost submit`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "qsohost/host/chain.hpp"
#include "submit/scripts.hpp"

namespace CLI {
class App;
}

namespace qsohost::cli {

// Who asks the archives before the shards compute.
enum class Fetch : std::uint8_t {
  Chosen,  // Job, if the chain asks archives over HTTP and SLURM runs it; else None
  Here,    // this process, before it submits anything
  Job,     // one job
  None,    // each shard for itself
};

struct SubmitArguments {
  std::filesystem::path chain;
  Overrides overrides;
  std::uint64_t shards = 0;
  std::string by = "rows";
  std::filesystem::path into;
  Scheduler scheduler = Scheduler::Slurm;
  std::optional<std::string> scheduler_options, fetch_options;
  std::optional<std::uint64_t> max_running;
  Fetch fetch = Fetch::Chosen;  // with resume: as before
  bool dry_run = false;
  bool resume = false;
  bool retry_failed = false;  // as resume; and shards with objects that failed are done again
};

// Adds the command to the program's. Errors in options are CLI::ValidationErrors of its parsing.
CLI::App* add_submit(CLI::App& app, SubmitArguments& arguments, std::vector<std::string>& plugins,
                     bool& allow_insecure_plugins);

}  // namespace qsohost::cli
