#include <fmt/format.h>
#include <malloc.h>

#include <cstdio>
#include <exception>

#include "arguments.hpp"
#include "inspect.hpp"
#include "list.hpp"
#include "qsohost/error.hpp"
#include "run_command.hpp"

namespace {

using namespace qsohost;
using namespace qsohost::cli;

void find_plugins(Plugins& plugins, const Arguments& arguments) {
  for (const auto& file : arguments.plugins) plugins.add_file(file);
  // Said at once, for these files the user has named; `list` shows all refusals anyway.
  if (arguments.command != Command::List) {
    for (const Refusal& refusal : plugins.refusals())
      fmt::print(stderr, "warning: {}", refusal_text(refusal));
  }
  // A chain names plugins of its own, which come before the standard folders: it adds those.
  if (arguments.chain.empty()) plugins.add_standard_folders();
}

int work(const Arguments& arguments) {
  Plugins plugins;
  find_plugins(plugins, arguments);
  switch (arguments.command) {
    case Command::List:
      plugins.probe_all();
      fmt::print("{}", arguments.json ? list_as_json(plugins) : list_as_text(plugins));
      return kDone;
    case Command::Inspect:
      fmt::print("{}", inspect(plugins, arguments));
      return kDone;
    case Command::Merge:
      return merge(plugins, arguments);
    default:
      return work_on_chain(plugins, arguments);
  }
}

}  // namespace

int main(int argc, char** argv) {
  // Columns of a batch come and go by the megabyte. What take_column_memory does not keep for the
  // next ones goes back to the system with a fixed threshold; glibc would raise it step by step and
  // keep what was freed.
  mallopt(M_MMAP_THRESHOLD, 256 << 10);
  try {
    const Parsed parsed = parse_arguments(argc, argv);
    if (!parsed.arguments) return parsed.exit_code;
    return work(*parsed.arguments);
  } catch (const ChainError& error) {
    fmt::print(stderr, "qsohost: {}\n", error.what());
    return kUsage;
  } catch (const std::exception& error) {
    fmt::print(stderr, "qsohost: {}\n", error.what());
    return kRunFailed;
  }
}
