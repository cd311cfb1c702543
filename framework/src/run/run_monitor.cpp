#include "run/run_monitor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "chain/calls_under_way.hpp"

namespace qsohost::inline v1 {

namespace {

constexpr std::chrono::milliseconds kEvery{100};
constexpr std::chrono::seconds kNameAwaitedEvery{10};
constexpr std::size_t kMostNamed = 5;

// "0.4 s", "42 s", "12 min"
std::string time_text(double seconds) {
  if (seconds < 10) return fmt::format("{:.1f} s", seconds);
  if (seconds < 120) return fmt::format("{:.0f} s", seconds);
  return fmt::format("{:.0f} min", seconds / 60);
}

}  // namespace

RunMonitor::RunMonitor(const Chain& chain, const RunOptions& options)
    : chain_(chain),
      options_(options),
      thread_([this](const std::stop_token& stop) { loop(stop); }) {}

RunMonitor::~RunMonitor() {
  thread_.request_stop();
  thread_.join();
  const std::lock_guard lock(mutex_);
  look();
}

void RunMonitor::show(Progress progress) {
  const std::lock_guard lock(mutex_);
  progress_ = [progress = std::move(progress)] { return progress; };
}

RunMonitor::Shown::Shown(RunMonitor& monitor, std::function<Progress()> progress)
    : monitor_(monitor) {
  const std::lock_guard lock(monitor_.mutex_);
  monitor_.progress_ = std::move(progress);
}

RunMonitor::Shown::~Shown() {
  Progress last;
  {
    const std::lock_guard lock(monitor_.mutex_);
    last = monitor_.progress_();
  }
  monitor_.show(std::move(last));
}

void RunMonitor::loop(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    look();
    waiting_.wait_for(lock, stop, kEvery, [] { return false; });
  }
}

void RunMonitor::look() {
  const Clock::time_point now = Clock::now();
  const double since_last_look = std::chrono::duration<double>(now - last_look_).count();
  last_look_ = now;
  Progress progress;
  if (progress_) progress = progress_();
  progress.calls = calls_under_way(chain_, now);
  for (const StageCall& call : progress.calls) name_stalled(call, since_last_look);
  name_awaited(progress, now);
  if (progress_ && options_.progress) options_.progress(progress);
}

// Once for each period that has passed since the last look.
void RunMonitor::name_stalled(const StageCall& call, double since_last_look) const {
  const double period = options_.stall_timeout;
  if (period <= 0) return;
  const double before = std::max(0.0, call.seconds - since_last_look);
  if (std::floor(call.seconds / period) <= std::floor(before / period)) return;
  warn(fmt::format(
      "{} has not returned for {} (stall timeout: {}); the run goes on waiting, and Ctrl-C ends it",
      describe(call), time_text(call.seconds), time_text(period)));
}

void RunMonitor::name_awaited(const Progress& progress, Clock::time_point now) {
  if (options_.interrupts == nullptr || *options_.interrupts < 2) return;
  if (named_awaited_ && now - *named_awaited_ < kNameAwaitedEvery) return;
  named_awaited_ = now;
  const std::size_t shown = std::min(progress.calls.size(), kMostNamed);
  for (std::size_t i = 0; i < shown; ++i) {
    const StageCall& call = progress.calls[i];
    warn(fmt::format("awaited: {}, for {}", describe(call), time_text(call.seconds)));
  }
  if (shown < progress.calls.size()) {
    warn(fmt::format("awaited: {} more calls of stages", progress.calls.size() - shown));
  }
}

void RunMonitor::warn(const std::string& text) const {
  if (options_.log) options_.log(LogLevel::Warning, text);
}

}  // namespace qsohost::inline v1
