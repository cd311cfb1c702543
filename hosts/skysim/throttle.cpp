#include "throttle.hpp"

#include <algorithm>
#include <cmath>

namespace qsohost::skysim {

namespace {

constexpr double kFullSpeed = 8;  // requests in flight
constexpr double kCollapse = 16;
constexpr double kFailuresThere = 0.98;
constexpr double kAnswerSeconds = 8;  // so that 8 connections get one response a second
constexpr double kTimeOutSeconds = 150;
constexpr double kRecoverySeconds = 30;  // load decays by a factor e in that time

}  // namespace

Throttle::Throttle(bool is_on, double time_scale, std::uint64_t seed)
    : is_on_(is_on), time_scale_(time_scale), random_(seed, Stream::Field, {77}) {}

double Throttle::strain() const {
  const std::chrono::duration<double> since = std::chrono::steady_clock::now() - past_;
  const double past = past_load_ * std::exp(-since.count() * time_scale_ / kRecoverySeconds);
  return std::max(past, static_cast<double>(in_flight_));
}

Turn Throttle::enter() {
  const std::lock_guard lock(mutex_);
  ++in_flight_;
  most_in_flight_ = std::max(most_in_flight_, in_flight_);
  if (!is_on_) return {};
  const double load = strain();
  if (in_flight_ > kFullSpeed) {
    past_load_ = load;
    past_ = std::chrono::steady_clock::now();
  }
  const double failures =
      kFailuresThere * std::clamp((load - kFullSpeed) / (kCollapse - kFullSpeed), 0.0, 1.0);
  Turn turn;
  double seconds = kAnswerSeconds * std::exp(0.2 * random_.normal());
  if (random_.chance(failures)) {
    turn.verdict = random_.chance(0.7) ? Verdict::TimeOut : Verdict::WrongEmpty;
    if (turn.verdict == Verdict::TimeOut) seconds = kTimeOutSeconds;
  }
  turn.wait = std::chrono::duration<double>(seconds / time_scale_);
  return turn;
}

void Throttle::leave() {
  const std::lock_guard lock(mutex_);
  --in_flight_;
}

int Throttle::in_flight() const {
  const std::lock_guard lock(mutex_);
  return in_flight_;
}

int Throttle::most_in_flight() const {
  const std::lock_guard lock(mutex_);
  return most_in_flight_;
}

}  // namespace qsohost::skysim
