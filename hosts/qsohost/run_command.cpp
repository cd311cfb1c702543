#include "run_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "interrupts.hpp"
#include "progress.hpp"
#include "qsohost/chain.hpp"
#include "report.hpp"

namespace qsohost::cli {
namespace {

std::optional<Chain> load_chain(Plugins& plugins, const Arguments& arguments) {
  std::vector<Problem> problems;
  std::optional<Chain> chain = Chain::load(arguments.chain, arguments.overrides, plugins, problems);
  for (const Problem& problem : problems) fmt::print(stderr, "{}\n", problem.text());
  return chain;
}

int run_chain(Chain& chain, const Arguments& arguments) {
  RunOptions options = arguments.run;
  if (options.run_dir.empty()) options.run_dir = chain.settings().name + ".run";
  options.command = go_on_command(arguments, "");
  RunReport report;
  watched(options, [&](const RunOptions& o) { report = run(chain, o); });
  fmt::print("{}", closing_text(report, arguments));
  std::fflush(stdout);  // where both go to one file, the order holds
  if (report.end == RunEnd::Failed) fmt::print(stderr, "qsohost: {}\n", report.error);
  return exit_code(report.end);
}

}  // namespace

void watched(RunOptions options, const std::function<void(const RunOptions&)>& work) {
  const InterruptHandler interrupts;
  options.interrupts = &InterruptHandler::count();
  ProgressDisplay display(isatty(STDERR_FILENO) != 0);
  options.progress = [&display](const Progress& progress) { display.update(progress); };
  options.log = [&display](LogLevel level, const std::string& text) {
    display.message(level, text);
  };
  work(options);
  display.finish();
}

int merge(Plugins& plugins, const Arguments& arguments) {
  MergeOptions options{arguments.run_dirs, arguments.into, arguments.partial, {}};
  options.log = [](LogLevel level, const std::string& text) {
    if (level >= LogLevel::Warning) fmt::print(stderr, "warning: {}\n", text);
  };
  try {
    const auto products = merge_runs(plugins, options);
    fmt::print("Written\n");
    for (const auto& product : products) fmt::print("  {}\n", product.string());
  } catch (const ChainError& error) {
    fmt::print(stderr, "qsohost: {}\n", error.what());
    return kRunFailed;
  }
  return kDone;
}

int work_on_chain(Plugins& plugins, const Arguments& arguments) {
  std::optional<Chain> chain = load_chain(plugins, arguments);
  if (!chain) return kUsage;
  switch (arguments.command) {
    case Command::Check:
      fmt::print("{}: ok, {} stages\n", arguments.chain.string(), chain->stages().size());
      return kDone;
    case Command::Graph:
      fmt::print("{}", draw(*chain, arguments.graph));
      return kDone;
    default:
      return run_chain(*chain, arguments);
  }
}

}  // namespace qsohost::cli
