// Progress of a run: a bar redrawn in place on a terminal, a line now and then elsewhere, with
// messages of stages in between.
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "qsohost/host/run.hpp"

namespace qsohost::cli {

// Objects per second in this run so far; 0 before the first.
double rate_of(const Progress& progress);
// Seconds left at that rate; before the first batch is done, at the rate at which fetchers settle
// objects. None if the total or the rate is unknown.
std::optional<double> seconds_left(const Progress& progress);

// "ztf: 312 of 500 settled, 8 requests, 1.1/s"
std::string fetching_text(const FetchProgress& fetching);

// "[#####.....] 42 % 1,234 of 2,900 56.1/s 0:30 left loo", at most `width` columns wide. What does
// not fit is dropped from the right, but the bar itself first.
std::string bar_line(const Progress& progress, std::size_t width);

// "42 %: 1,234 of 2,900 objects, 56.1/s, 0:30 left, at loo"
std::string plain_line(const Progress& progress);

// Decides when a line is due without a terminal: after 30 s or another 1 %, whichever comes first,
// but never within 1 s of the line before.
class LinePace {
 public:
  bool due(const Progress& progress);

 private:
  double seconds_ = 0;
  std::uint64_t percent_ = 0;
};

// Writes to stderr. Thread-safe.
class ProgressDisplay {
 public:
  // `least`: lower levels are not shown; from Warning on, no progress either.
  explicit ProgressDisplay(bool is_terminal, LogLevel least = LogLevel::Info)
      : is_terminal_(is_terminal), least_(least) {}
  ~ProgressDisplay() { finish(); }
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  void update(const Progress& progress);
  void message(LogLevel level, const std::string& text);
  void print(std::string_view text);  // above the bar, whatever the level
  void finish();                      // removes the bar

 private:
  void erase_bar();
  void draw_bar();

  std::mutex mutex_;
  bool is_terminal_;
  LogLevel least_;
  bool bar_shown_ = false;
  std::optional<Progress> last_;
  LinePace pace_;
};

}  // namespace qsohost::cli
