// Ctrl-C in three steps: the first lets the batches in flight finish, the second gives up what
// waits, the third ends the program at once. SIGTERM counts the same.
#pragma once

#include <atomic>

namespace qsohost::cli {

// Catches the signals as long as it lives; one at a time.
class InterruptHandler {
 public:
  InterruptHandler();
  ~InterruptHandler();
  InterruptHandler(const InterruptHandler&) = delete;
  InterruptHandler& operator=(const InterruptHandler&) = delete;

  static const std::atomic<int>& count();
};

}  // namespace qsohost::cli
