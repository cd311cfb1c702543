// Ctrl-C in three steps: the first lets the batches in flight finish, the second gives up pending
// requests, the third ends the program at once. SIGTERM is handled alike.
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
};

}  // namespace qsohost::cli
