#include "run/fetch_notes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <utility>

namespace qsohost::inline v1 {

namespace {

constexpr std::chrono::seconds kNoteEvery{5};
constexpr std::chrono::seconds kSayEvery{60};
constexpr double kLongDrain = 60;  // s

// Until the objects that it has begun with are settled.
double seconds_to_drain(const FetchProgress& fetcher) {
  return static_cast<double>(fetcher.objects - fetcher.settled) / fetcher.rate;
}

}  // namespace

std::optional<double> seconds_of_fetching(const Progress& progress) {
  std::optional<double> longest;
  for (const FetchProgress& f : progress.fetching) {
    if (f.rate <= 0 || progress.objects_read == 0 || !progress.objects_total) continue;
    const auto before = progress.objects_done - progress.objects_this_run;
    const double seen = static_cast<double>(before + progress.objects_read);
    const double unread = std::max(0.0, static_cast<double>(*progress.objects_total) - seen);
    const double reaching =
        static_cast<double>(f.objects) / static_cast<double>(progress.objects_read);
    const double seconds = seconds_to_drain(f) + unread * reaching / f.rate;
    longest = std::max(longest.value_or(0), seconds);
  }
  return longest;
}

FetchNotes::FetchNotes(RunDb& db, const Interrupts& interrupts, Log log)
    : db_(db), interrupts_(interrupts), log_(std::move(log)) {}

void FetchNotes::update(const Progress& progress) noexcept {
  if (progress.fetching.empty()) return;
  const Time now = std::chrono::steady_clock::now();
  try {
    if (!noted_ || now - *noted_ >= kNoteEvery) note(progress, now);
    if (interrupts_.count() == 1 && (!said_ || now - *said_ >= kSayEvery)) {
      say_drain(progress, now);
    }
  } catch (...) {  // NOLINT(bugprone-empty-catch): a display that cannot be written ends no run
  }
}

void FetchNotes::note(const Progress& progress, Time now) {
  noted_ = now;
  db_.set_meta("fetching", fetching_as_text(progress.fetching));
}

void FetchNotes::say_drain(const Progress& progress, Time now) {
  for (const FetchProgress& f : progress.fetching) {
    if (f.rate <= 0 || seconds_to_drain(f) < kLongDrain) continue;
    said_ = now;
    if (!log_) continue;
    log_(LogLevel::Info,
         fmt::format(
             "{}: {} of {} objects in flight wait for their answers; at {:.2g} a second that "
             "takes about {:.0f} minutes. A second Ctrl-C ends it now and loses nothing that "
             "was answered: --resume goes on from there",
             f.stage, f.objects - f.settled, f.objects, f.rate,
             std::ceil(seconds_to_drain(f) / 60)));
  }
}

std::string fetching_as_text(const std::vector<FetchProgress>& fetching) {
  std::string out;
  for (const FetchProgress& f : fetching) {
    out += fmt::format("{} {} {} {} {}\n", f.objects, f.settled, f.requests, f.rate, f.stage);
  }
  return out;
}

std::vector<FetchProgress> fetching_from_text(const std::string& text) {
  std::vector<FetchProgress> out;
  std::istringstream lines(text);
  FetchProgress f;
  while (lines >> f.objects >> f.settled >> f.requests >> f.rate &&
         std::getline(lines >> std::ws, f.stage)) {
    out.push_back(f);
  }
  return out;
}

}  // namespace qsohost::inline v1
