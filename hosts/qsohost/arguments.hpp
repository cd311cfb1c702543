// Parses and checks the command line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "compare/compare.hpp"
#include "qsohost/host/chain.hpp"
#include "qsohost/host/run.hpp"
#include "relate_arguments.hpp"
#include "report_arguments.hpp"
#include "submit_arguments.hpp"

namespace qsohost::cli {

// Exit codes.
enum ExitCode : int {
  kDone = 0,
  kRunFailed = 1,
  kUsage = 2,  // the command line, the chain or a plugin is wrong
  kUnsettled = 3,
  kInterrupted = 130,
};

enum class Command : std::uint8_t {
  Run,
  Check,
  Graph,
  List,
  Inspect,
  Merge,
  New,
  Status,
  Compare,
  Describe,
  Doctor,
  Relate,
  Report,
  Submit
};
enum class InspectFormat : std::uint8_t { Text, Json, Markdown, Toml };

struct Arguments {
  Command command = Command::Run;
  std::vector<std::filesystem::path> plugins;
  bool allow_insecure_plugins = false;

  // Run, Check, Graph
  std::filesystem::path chain;
  Overrides overrides;
  std::string graph;  // "dot", "mermaid", "text"
  // run_dir may be empty: the default is named after the chain
  RunOptions run;
  // For scripts: the digest that the chain must have, see digest_of(); "": any
  std::string digest;
  bool is_unsettled_ok = false;  // kDone in place of kUnsettled

  // Compare; chain, overrides and run as above
  FitterComparison line_up;
  std::filesystem::path table;  // may be empty: the default is named after the chain
  Flagged flagged = Flagged::Compared;

  // Run, Compare: lower levels are not shown; from Warning on, no progress either
  LogLevel log_level = LogLevel::Info;
  std::filesystem::path log_file;  // may be empty: none

  // List, Status, Describe, Doctor
  bool json = false;

  // Describe
  std::string file;
  std::string hdu;

  // Doctor: stages, by label or kind; without a chain one kind. Chain and overrides as above
  std::vector<std::string> archives;

  // Relate
  RelateArguments relation;

  // Status: list the objects with these outcomes; none: the state of the run
  std::vector<Outcome> outcomes;

  // Merge, Status
  std::vector<std::filesystem::path> run_dirs;
  bool partial = false;  // of merge
  std::filesystem::path into;

  // Report
  ReportArguments page;

  // Submit
  SubmitArguments submit;

  // Inspect
  std::string stage;
  InspectFormat format = InspectFormat::Text;

  // New
  std::string kind;  // "source", "survey", "filter", "fitter", "sink"
  bool in_python = false;
  std::string name;
};

// What to do, or (after --help, --version or an error, already printed) the exit code.
struct Parsed {
  std::optional<Arguments> arguments;
  int exit_code = kDone;
};

Parsed parse_arguments(int argc, const char* const* argv);

}  // namespace qsohost::cli
