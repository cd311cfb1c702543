// How often the user has interrupted the run, and since when.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace qsohost::inline v1 {

// Any thread. The time counts from the first call that sees an interrupt, since a signal handler
// records no time; during a run there is a call every 50 ms.
class Interrupts {
 public:
  // After the first interrupt fetchers may finish what they have begun for this long.
  static constexpr std::chrono::seconds kDrain{10};

  // `count`: written by the host's signal handler; none if nothing interrupts.
  explicit Interrupts(const std::atomic<int>* count) : count_(count) {}

  int count() const { return count_ == nullptr ? 0 : count_->load(); }
  bool is_drain_over() const;

 private:
  const std::atomic<int>* count_;
  mutable std::atomic<std::int64_t> first_ = 0;  // ticks of the steady clock; 0: not yet
};

}  // namespace qsohost::inline v1
