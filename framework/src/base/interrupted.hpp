// The user wants the run to stop, and a batch is left undone for --resume. Not a failure of a
// stage.
#pragma once

#include <atomic>
#include <exception>

#include "qsohost/api.hpp"

namespace qsohost::inline v1 {

class Interrupted final : public std::exception {
 public:
  const char* what() const noexcept override { return "interrupted"; }
};

// For loops that may take minutes and have no Context, such as unpacking a file: throws Interrupted
// once the user has interrupted the run. Any thread.
QSOHOST_API void throw_if_interrupted();

// The count of interrupts that throw_if_interrupted() looks at, for the lifetime of this object.
class WatchedInterrupts {
 public:
  explicit WatchedInterrupts(const std::atomic<int>* count) noexcept;
  ~WatchedInterrupts();
  WatchedInterrupts(const WatchedInterrupts&) = delete;
  WatchedInterrupts& operator=(const WatchedInterrupts&) = delete;

 private:
  const std::atomic<int>* before_;
};

}  // namespace qsohost::inline v1
