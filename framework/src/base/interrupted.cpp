#include "base/interrupted.hpp"

namespace qsohost::inline v1 {

namespace {

std::atomic<const std::atomic<int>*> watched{nullptr};

}  // namespace

void throw_if_interrupted() {
  const std::atomic<int>* count = watched;
  if (count != nullptr && *count > 0) throw Interrupted();
}

WatchedInterrupts::WatchedInterrupts(const std::atomic<int>* count) noexcept
    : before_(watched.exchange(count)) {}

WatchedInterrupts::~WatchedInterrupts() {
  watched = before_;
}

}  // namespace qsohost::inline v1
