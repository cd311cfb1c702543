// Ctrl-C in three steps: the first lets the batches in flight finish, the second gives up pending
// requests, the third ends the program at once. SIGTERM is handled alike. SIGUSR1 asks for a table
// of what the run does (live_table.hpp).
#pragma once

#include <atomic>

namespace qsohost::cli {

// Catches the signals during its lifetime; only one may exist at a time.
class InterruptHandler {
 public:
  InterruptHandler();
  ~InterruptHandler();
  InterruptHandler(const InterruptHandler&) = delete;
  InterruptHandler& operator=(const InterruptHandler&) = delete;

  static const std::atomic<int>& count();
  static int tables_asked_for();  // so far
};

}  // namespace qsohost::cli
