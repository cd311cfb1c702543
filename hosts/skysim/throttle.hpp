// The behaviour of IRSA's light-curve service under load from one client, as measured: full speed
// up to 8 connections; at 16, 98 % timeouts and wrong empty responses; recovered some time after
// the load had ended.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>

#include "random.hpp"

namespace qsohost::skysim {

enum class Verdict : std::uint8_t { Answer, TimeOut, WrongEmpty };

struct Turn {
  Verdict verdict = Verdict::Answer;
  std::chrono::duration<double> wait{0};  // before the response
};

class Throttle {
 public:
  // Time runs `time_scale` times as fast as in the real service. Off: no delays.
  Throttle(bool is_on, double time_scale, std::uint64_t seed);

  // One request, from begin to end: counts as in flight during its lifetime. Thread-safe.
  class Request {
   public:
    explicit Request(Throttle& throttle) : throttle_(throttle), turn_(throttle.enter()) {}
    ~Request() { throttle_.leave(); }
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;
    const Turn& turn() const { return turn_; }

   private:
    Throttle& throttle_;
    Turn turn_;
  };

  int in_flight() const;
  int most_in_flight() const;

 private:
  Turn enter();
  void leave();
  double strain() const;  // in_flight, or the rest of earlier load

  bool is_on_;
  double time_scale_;
  mutable std::mutex mutex_;
  Random random_;
  int in_flight_ = 0;
  int most_in_flight_ = 0;
  double past_load_ = 0;
  std::chrono::steady_clock::time_point past_{};
};

}  // namespace qsohost::skysim
