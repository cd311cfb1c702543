#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>

#include "arguments.hpp"
#include "compare_command.hpp"
#include "describe_command.hpp"
#include "inspect.hpp"
#include "list.hpp"
#include "new_plugin.hpp"
#include "output.hpp"
#include "qsohost/error.hpp"
#include "qsohost/host/loader.hpp"
#include "qsohost/host/run.hpp"
#include "relate_command.hpp"
#include "report_command.hpp"
#include "run_command.hpp"
#include "status.hpp"

namespace {

using namespace qsohost;
using namespace qsohost::cli;

void find_plugins(Plugins& plugins, const Arguments& arguments) {
  for (const auto& file : arguments.plugins) plugins.add_file(file);
  // Reported at once, because the user named these files; `list` shows all refusals anyway.
  if (arguments.command != Command::List) {
    for (const Refusal& refusal : plugins.refusals())
      complain("warning: {}", refusal_text(refusal));
  }
  // A chain names plugins itself, and they precede the standard folders; loading the chain adds
  // these.
  if (arguments.chain.empty() && arguments.command != Command::Status) {
    plugins.add_standard_folders();
  }
}

int work(const Arguments& arguments) {
  Plugins plugins;
  find_plugins(plugins, arguments);
  switch (arguments.command) {
    case Command::List:
      plugins.probe_all();
      write_text(Stream::Out, arguments.json ? list_as_json(plugins) : list_as_text(plugins));
      return unless_output_is_lost(kDone);
    case Command::Inspect:
      write_text(Stream::Out, inspect(plugins, arguments));
      return unless_output_is_lost(kDone);
    case Command::Merge:
      return merge(plugins, arguments);
    case Command::New: {
      for (const auto& file : new_plugin(arguments.kind, arguments.name, "."))
        say("{}\n", file.lexically_normal().string());
      say("{}/README.md says how to build, test and run it.\n", arguments.name);
      return kDone;
    }
    case Command::Status:
      return show_status(arguments);
    case Command::Describe:
      write_text(Stream::Out, describe(arguments));
      return unless_output_is_lost(kDone);
    case Command::Compare:
      return compare_fitters(plugins, arguments);
    case Command::Relate:
      return relate_fits(arguments.relation);
    case Command::Report:
      return write_report(arguments);
    default:
      return work_on_chain(plugins, arguments);
  }
}

// Other threads may still be running, so nothing is destroyed at exit.
[[noreturn]] void end_with_words() {
  const std::string words = describe_uncaught();
  const std::size_t first_line = std::min(words.find('\n'), words.size());
  report_crash(std::string_view(words).substr(0, first_line));
  complain(
      "{}\n  What a run had committed is kept: the same command with --resume goes on from there\n",
      std::string_view(words).substr(std::min(first_line + 1, words.size())));
  std::_Exit(kRunFailed);
}

}  // namespace

int main(int argc, char** argv) {
  // Columns of a batch are megabytes large and short-lived. With a fixed threshold, memory that
  // take_column_memory does not keep for reuse is returned to the system; by default glibc raises
  // the threshold step by step and keeps freed memory.
  mallopt(M_MMAP_THRESHOLD, 256 << 10);
  prepare_output();
  std::set_terminate(end_with_words);
  name_crashes();
  try {
    const Parsed parsed = parse_arguments(argc, argv);
    if (!parsed.arguments) return parsed.exit_code;
    return work(*parsed.arguments);
  } catch (const UsageError& error) {
    complain("qsohost: {}\n", error.what());
    return kUsage;
  } catch (const std::exception& error) {
    complain("qsohost: {}\n", error.what());
    return kRunFailed;
  } catch (...) {
    write_text(Stream::Err, "qsohost: something was thrown that is no std::exception\n");
    return kRunFailed;
  }
}
