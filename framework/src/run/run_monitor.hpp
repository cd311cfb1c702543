// Looks at a run ten times a second, from a thread of its own, so that also a stage that does not
// return is seen: passes the progress on, names calls that take too long, and says after a second
// interrupt who is awaited.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "qsohost/host/chain.hpp"
#include "qsohost/host/run.hpp"

namespace qsohost::inline v1 {

class RunMonitor {
 public:
  RunMonitor(const Chain& chain, const RunOptions& options);
  ~RunMonitor();
  RunMonitor(const RunMonitor&) = delete;
  RunMonitor& operator=(const RunMonitor&) = delete;

  // The progress from now on, until something is Shown. Before this, none is passed on.
  void show(Progress progress);

  // For its lifetime the progress comes from `progress`, called by the monitor's thread; then it
  // stays as it was at the end.
  class Shown {
   public:
    Shown(RunMonitor& monitor, std::function<Progress()> progress);
    ~Shown();
    Shown(const Shown&) = delete;
    Shown& operator=(const Shown&) = delete;

   private:
    RunMonitor& monitor_;
  };

 private:
  using Clock = std::chrono::steady_clock;
  void loop(const std::stop_token& stop);
  void look();  // with mutex_ held
  void name_stalled(const StageCall& call, double since_last_look) const;
  void name_awaited(const Progress& progress, Clock::time_point now);
  void warn(const std::string& text) const;

  const Chain& chain_;
  const RunOptions& options_;
  std::mutex mutex_;  // guards everything below
  std::condition_variable_any waiting_;
  std::function<Progress()> progress_;
  Clock::time_point last_look_ = Clock::now();
  std::optional<Clock::time_point> named_awaited_;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace qsohost::inline v1
