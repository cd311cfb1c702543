#include "run_command.hpp"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "closing_text.hpp"
#include "interrupts.hpp"
#include "live_table.hpp"
#include "log_file.hpp"
#include "output.hpp"
#include "progress.hpp"
#include "qsohost/host/chain.hpp"
#include "submit/digest.hpp"

namespace qsohost::cli {
namespace {

std::optional<Chain> load_chain(Plugins& plugins, const Arguments& arguments) {
  std::vector<Problem> problems;
  std::optional<Chain> chain = Chain::load(arguments.chain, arguments.overrides, plugins, problems);
  for (const Problem& problem : problems) complain("{}\n", problem.text());
  return chain;
}

int run_chain(Chain& chain, const Arguments& arguments) {
  if (!arguments.digest.empty()) require_digest(chain, arguments.chain, arguments.digest);
  RunOptions options = arguments.run;
  if (options.run_dir.empty()) options.run_dir = chain.settings().name + ".run";
  const std::filesystem::path as_given = options.run_dir;
  // Resolved like a path in the shell: in `link/../x` the `..` is relative to the link's target.
  options.run_dir = std::filesystem::weakly_canonical(std::filesystem::absolute(as_given));
  options.command = go_on_command(arguments, "");
  RunReport report =
      watched(options, arguments, [&](const RunOptions& o) { return run(chain, o); });
  report.run_dir = as_given;
  write_text(Stream::Out, closing_text(report, arguments));
  if (report.end == RunEnd::Failed) complain("qsohost: {}\n", report.error);
  if (report.end == RunEnd::Unsettled && arguments.is_unsettled_ok) return kDone;
  return exit_code(report.end);
}

}  // namespace

RunReport watched(RunOptions options, const Arguments& arguments,
                  const std::function<RunReport(const RunOptions&)>& work) {
  std::optional<LogFile> log;
  if (!arguments.log_file.empty()) {
    // Not shown on a terminal is not the same as not wanted.
    log.emplace(arguments.log_file, std::min(arguments.log_level, LogLevel::Info));
    log->write_begin(arguments.chain.string(), options);
  }
  std::optional<InterruptHandler> signals;
  if (options.interrupts == nullptr) {
    signals.emplace();
    options.interrupts = &InterruptHandler::count();
  }
  ProgressDisplay display(isatty(STDERR_FILENO) != 0, arguments.log_level);
  options.progress = [&, tables = InterruptHandler::tables_asked_for()](const Progress& p) mutable {
    const int before = std::exchange(tables, InterruptHandler::tables_asked_for());
    if (tables != before) display.print(live_table(p));
    display.update(p);
    if (log) log->write(p);
  };
  options.log = [&](LogLevel level, const std::string& text) {
    display.message(level, text);
    if (log) log->write(level, text);
  };
  return log ? log->write_end([&] { return work(options); }) : work(options);
}

int merge(Plugins& plugins, const Arguments& arguments) {
  MergeOptions options{
      arguments.run_dirs, arguments.into, arguments.partial, arguments.run.stall_timeout, {}};
  options.log = [](LogLevel level, const std::string& text) {
    if (level >= LogLevel::Warning) complain("warning: {}\n", text);
  };
  const auto products = merge_runs(plugins, options);
  write_text(Stream::Out, "Written\n");
  for (const auto& product : products) say("  {}\n", product.string());
  return kDone;
}

int work_on_chain(Plugins& plugins, const Arguments& arguments) {
  std::optional<Chain> chain = load_chain(plugins, arguments);
  if (!chain) return kUsage;
  switch (arguments.command) {
    case Command::Check:
      say("{}: ok, {} stages\n", arguments.chain.string(), chain->stages().size());
      return kDone;
    case Command::Graph:
      write_text(Stream::Out, draw(*chain, arguments.graph));
      return unless_output_is_lost(kDone);
    default:
      return run_chain(*chain, arguments);
  }
}

}  // namespace qsohost::cli
