#include "progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "output.hpp"
#include "table.hpp"

namespace qsohost::cli {
namespace {

constexpr std::size_t kWidestBar = 30;
constexpr std::size_t kNarrowestBar = 8;
constexpr double kLineEverySeconds = 30;
constexpr double kLineAtMostEverySeconds = 1;

std::size_t terminal_width() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

// Objects of this run, where what fetchers have settled in the batches in flight counts in part:
// the mean over the fetchers, each scaled to what the source has returned.
double objects_with_parts(const Progress& progress) {
  double sum = 0;
  for (const FetchProgress& f : progress.fetching) {
    sum += static_cast<double>(f.settled) / static_cast<double>(f.objects);
  }
  const double settled = progress.fetching.empty()
                             ? 0
                             : sum / static_cast<double>(progress.fetching.size()) *
                                   static_cast<double>(progress.objects_read);
  return std::max(settled, static_cast<double>(progress.objects_this_run));
}

// None if the total is unknown or 0.
std::optional<double> fraction_of(const Progress& progress) {
  if (!progress.objects_total || *progress.objects_total == 0) return std::nullopt;
  const auto before = static_cast<double>(progress.objects_done - progress.objects_this_run);
  return std::min(
      1.0, (before + objects_with_parts(progress)) / static_cast<double>(*progress.objects_total));
}

std::uint64_t percent_of(const Progress& progress) {
  return static_cast<std::uint64_t>(std::floor(100 * fraction_of(progress).value_or(0)));
}

std::string done_text(const Progress& progress) {
  std::string out = grouped(static_cast<std::int64_t>(progress.objects_done));
  if (progress.objects_total)
    out += " of " + grouped(static_cast<std::int64_t>(*progress.objects_total));
  return out;
}

// The items after the percentage, the most important first.
std::vector<std::string> facts_of(const Progress& progress) {
  std::vector<std::string> facts;
  facts.push_back(rate_text(rate_of(progress)) + "/s");
  if (const auto left = seconds_left(progress)) facts.push_back(duration(*left) + " left");
  if (!fraction_of(progress)) facts.push_back(duration(progress.seconds));
  for (const FetchProgress& f : progress.fetching) {
    if (f.settled < f.objects || f.requests > 0) facts.push_back(fetching_text(f));
  }
  return facts;
}

std::string_view prefix_of(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return "debug: ";
    case LogLevel::Warning:
      return "warning: ";
    case LogLevel::Error:
      return "error: ";
    default:
      return "";
  }
}

}  // namespace

double rate_of(const Progress& progress) {
  if (progress.seconds <= 0) return 0;
  return static_cast<double>(progress.objects_this_run) / progress.seconds;
}

std::optional<double> seconds_left(const Progress& progress) {
  const double rate = rate_of(progress);
  if (progress.objects_total && progress.objects_done >= *progress.objects_total) {
    return std::nullopt;
  }
  if (!progress.objects_total || rate <= 0) return seconds_of_fetching(progress);
  return static_cast<double>(*progress.objects_total - progress.objects_done) / rate;
}

std::string fetching_text(const FetchProgress& fetching) {
  return fmt::format("{}: {} of {} settled, {} requests, {}/s", fetching.stage,
                     grouped(static_cast<std::int64_t>(fetching.settled)),
                     grouped(static_cast<std::int64_t>(fetching.objects)), fetching.requests,
                     rate_text(fetching.rate));
}

std::string bar_line(const Progress& progress, std::size_t width) {
  const auto fraction = fraction_of(progress);
  std::vector<std::string> parts;
  if (fraction) parts.push_back(fmt::format("{:3} %", percent_of(progress)));
  parts.push_back(done_text(progress));
  for (std::string& fact : facts_of(progress)) parts.push_back(std::move(fact));
  if (!progress.stage.empty()) parts.push_back(progress.stage);

  std::string text;
  for (const std::string& part : parts) {
    const std::size_t gap = text.empty() ? 0 : 2;
    if (text.size() + gap + part.size() > width) break;
    text += std::string(gap, ' ') + part;
  }
  const std::size_t taken = text.size() + 4;  // the bar's ends and the gap
  if (!fraction || taken + kNarrowestBar > width) return text;
  const std::size_t cells = std::min(kWidestBar, width - taken);
  const auto full = static_cast<std::size_t>(std::floor(*fraction * static_cast<double>(cells)));
  return fmt::format("[{}{}]  {}", std::string(full, '#'), std::string(cells - full, '.'), text);
}

std::string plain_line(const Progress& progress) {
  std::string out;
  if (fraction_of(progress)) out = fmt::format("{} %: ", percent_of(progress));
  out += done_text(progress) + " objects";
  for (const std::string& fact : facts_of(progress)) out += ", " + fact;
  if (!progress.stage.empty()) out += ", at " + progress.stage;
  return out;
}

bool LinePace::due(const Progress& progress) {
  const double since = progress.seconds - seconds_;
  if (since < kLineAtMostEverySeconds) return false;
  const std::uint64_t percent = percent_of(progress);
  if (since < kLineEverySeconds && percent <= percent_) return false;
  seconds_ = progress.seconds;
  percent_ = percent;
  return true;
}

void ProgressDisplay::update(const Progress& progress) {
  if (least_ >= LogLevel::Warning) return;
  const std::lock_guard lock(mutex_);
  if (is_terminal_) {
    last_ = progress;
    draw_bar();
  } else if (pace_.due(progress)) {
    complain("{}\n", plain_line(progress));
  }
}

void ProgressDisplay::message(LogLevel level, const std::string& text) {
  if (level < least_) return;
  print(fmt::format("{}{}\n", prefix_of(level), text));
}

void ProgressDisplay::print(std::string_view text) {
  const std::lock_guard lock(mutex_);
  erase_bar();
  write_text(Stream::Err, text);
  if (is_terminal_ && last_) draw_bar();
}

void ProgressDisplay::finish() {
  const std::lock_guard lock(mutex_);
  erase_bar();
  last_.reset();
}

void ProgressDisplay::draw_bar() {
  // Leaves one column free: some terminals wrap a line that fills the last one.
  erase_line();
  write_text(Stream::Err, bar_line(*last_, terminal_width() - 1));
  bar_shown_ = true;
}

void ProgressDisplay::erase_bar() {
  if (!bar_shown_) return;
  erase_line();
  bar_shown_ = false;
}

}  // namespace qsohost::cli
