// The options of a run on the command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "qsohost/host/run.hpp"

namespace CLI {
class App;
class Option;
class Validator;
}  // namespace CLI

namespace qsohost::cli {

// As they are typed.
struct RunWords {
  std::string run_dir, trace, record, replay, shard, shard_by, share_connections;
  bool resume = false, restart = false, retry_failed = false, accept_changed_inputs = false;
  bool fetch_only = false, offline = false;
  std::optional<std::uint64_t> dry_run, limit, skip;
};

CLI::Validator from_one_on(std::int64_t most = 0);  // whole numbers; 0: without a limit

// `chain`: the option that these need.
void add_run_options(CLI::App& app, CLI::Option* chain, RunWords& words, RunOptions& run);
// Throws CLI::ValidationError.
void finish_run_options(const RunWords& words, RunOptions& run);

}  // namespace qsohost::cli
