// The command line, read and checked.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "qsohost/host/chain.hpp"
#include "qsohost/host/run.hpp"

namespace qsohost::cli {

// What the program returns to the shell.
enum ExitCode : int {
  kDone = 0,
  kRunFailed = 1,
  kUsage = 2,  // the command line, the chain or a plugin is wrong
  kUnsettled = 3,
  kInterrupted = 130,
};

enum class Command : std::uint8_t { Run, Check, Graph, List, Inspect, Merge, New, Status, Compare };
enum class InspectFormat : std::uint8_t { Text, Json, Markdown, Toml };

struct Arguments {
  Command command = Command::Run;
  std::vector<std::filesystem::path> plugins;

  // Run, Check, Graph
  std::filesystem::path chain;
  Overrides overrides;
  std::string graph;  // "dot", "mermaid", "text"
  // run_dir may be empty: then it is named after the chain
  RunOptions run;

  // Compare; chain, overrides and run as above
  FitterComparison line_up;
  std::filesystem::path table;  // may be empty: then it is named after the chain

  // Run, Compare: what is not worth this is not shown; from Warning on, no progress either
  LogLevel log_level = LogLevel::Info;

  // List, Status
  bool json = false;

  // Status: list the objects that ended so; none: how the run is
  std::vector<Outcome> outcomes;

  // Merge, Status
  std::vector<std::filesystem::path> run_dirs;
  bool partial = false;  // of merge
  std::filesystem::path into;

  // Inspect
  std::string stage;
  InspectFormat format = InspectFormat::Text;

  // New
  std::string kind;  // "source", "survey", "filter", "fitter", "sink"
  std::string name;
};

// What to do, or (after --help, --version or a mistake, already printed) what to return.
struct Parsed {
  std::optional<Arguments> arguments;
  int exit_code = kDone;
};

Parsed parse_arguments(int argc, const char* const* argv);

}  // namespace qsohost::cli
