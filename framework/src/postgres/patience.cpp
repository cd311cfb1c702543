#include <fmt/format.h>

#include <chrono>
#include <random>
#include <thread>

#include "base/backoff.hpp"
#include "qsohost/error.hpp"
#include "qsohost/postgres.hpp"

namespace qsohost::inline v1 {

PgPatience::PgPatience(PgRetry retry, std::function<bool()> stop,
                       std::function<void(const std::string&)> warn)
    : retry_(retry), stop_(std::move(stop)), warn_(std::move(warn)) {}

void PgPatience::failed(const std::string& message) {
  using Clock = std::chrono::steady_clock;
  if (stop_()) throw TryAgain(message);
  if (++failures_ >= retry_.attempts) {
    throw RunError(
        fmt::format("{}; given up after {} attempts; go on with --resume when the server is back",
                    message, failures_));
  }
  thread_local std::minstd_rand random(std::random_device{}());
  const double seconds = jittered(Backoff{retry_.first, retry_.longest}.seconds(failures_), random);
  warn_(fmt::format("{}; next attempt ({} of {}) in {:.1f} s", message, failures_ + 1,
                    retry_.attempts, seconds));
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (Clock::now() < end) {
    if (stop_()) throw TryAgain("interrupted while waiting to try again");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace qsohost::inline v1
