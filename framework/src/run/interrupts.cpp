#include "run/interrupts.hpp"

namespace qsohost::inline v1 {

bool Interrupts::is_drain_over() const {
  using Clock = std::chrono::steady_clock;
  const int interrupts = count();
  if (interrupts != 1) return interrupts > 1;
  const Clock::time_point now = Clock::now();
  std::int64_t first = 0;
  if (first_.compare_exchange_strong(first, now.time_since_epoch().count())) return false;
  return now - Clock::time_point(Clock::duration(first)) >= kDrain;
}

}  // namespace qsohost::inline v1
