// Long work while Python stays awake: the work runs on a thread of its own, without the GIL, and
// the calling thread wakes up ten times a second to pass on log lines and progress and to let
// Python handle signals. A worker never waits for the GIL, so nothing can hang on it.
#pragma once

#include <pybind11/pybind11.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "qsohost/host/run.hpp"

namespace qsohost::python {

// Threads do not survive a fork: true in a child of the process that imported us.
bool is_forked_child();
// Throws RuntimeError there.
void refuse_in_forked_child();

class Watched {
 public:
  // The callbacks may be None: on_log(level, text), on_progress(done, total, seconds, rate, stage).
  Watched(pybind11::object on_log, pybind11::object on_progress)
      : on_log_(std::move(on_log)), on_progress_(std::move(on_progress)) {}

  // 1: finish what is in flight, 2: give up what waits.
  const std::atomic<int>& interrupts() const { return interrupts_; }
  void stop() { interrupts_ = 2; }

  // From any thread.
  void log(LogLevel level, const std::string& text);
  void progress(const Progress& progress);

  // With the GIL. Returns when `work` has ended, and throws what it threw. Ctrl-C, or another
  // exception in Python, interrupts the work, a second one harder; the first is thrown at the end.
  void run(const std::function<void()>& work);

  // With the GIL: passes on what has come in, and throws what Python's signal handlers throw.
  void wake_up();

 private:
  pybind11::object on_log_, on_progress_;
  std::atomic<int> interrupts_ = 0;
  std::mutex mutex_;  // never held together with the GIL
  std::vector<std::pair<LogLevel, std::string>> lines_;
  std::optional<Progress> last_;
};

}  // namespace qsohost::python
