#include "http/fetch_board.hpp"

#include <algorithm>

namespace qsohost::inline v1 {

FetchBoard::Line& FetchBoard::line_of(const std::string& stage) {
  const auto it = std::ranges::find(lines_, stage, &Line::stage);
  if (it != lines_.end()) return *it;
  lines_.push_back({stage});
  return lines_.back();
}

// Objects that become unsettled again were not settled: what a later request asks about is open.
void FetchBoard::Entry::update(std::size_t unsettled, std::size_t requests) {
  const std::lock_guard lock(board_.mutex_);
  Line& line = board_.line_of(stage_);
  if (unsettled > unsettled_) {
    const std::size_t more = unsettled - unsettled_;
    const std::uint64_t again = std::min<std::uint64_t>(more, line.settled);
    if (is_begun_) line.settled -= again;
    if (!is_begun_) line.objects += more;
  } else {
    line.settled += unsettled_ - unsettled;
  }
  line.requests += requests;
  line.requests -= requests_;
  unsettled_ = unsettled;
  requests_ = requests;
  is_begun_ = true;
}

FetchBoard::Entry::~Entry() {
  const std::lock_guard lock(board_.mutex_);
  Line& line = board_.line_of(stage_);
  line.requests -= requests_;
  line.objects -= unsettled_;  // left to a later run
}

std::vector<FetchProgress> FetchBoard::read() const {
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  std::vector<FetchProgress> out;
  for (const Line& line : lines_) {
    if (line.objects == 0) continue;
    const std::chrono::duration<double> since = now - line.begin;
    out.push_back({line.stage, line.objects, line.settled, line.requests,
                   since.count() > 0 ? static_cast<double>(line.settled) / since.count() : 0});
  }
  return out;
}

}  // namespace qsohost::inline v1
