#include <malloc.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>

#include "arguments.hpp"
#include "command.hpp"
#include "output.hpp"
#include "qsohost/host/loader.hpp"
#include "qsohost/host/run.hpp"

namespace {

using namespace qsohost;
using namespace qsohost::cli;

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
  std::signal(SIGUSR1, SIG_IGN);  // until there is a run to tell about
  std::set_terminate(end_with_words);
  name_crashes();
  return exit_code_of([&] {
    const Parsed parsed = parse_arguments(argc, argv);
    return parsed.arguments ? execute(*parsed.arguments) : parsed.exit_code;
  });
}
