// How IRSA's light-curve service took it when one client asked more at a time, as it was measured:
// full speed to 8 connections; at 16, 98 % time-outs and wrong empty answers; well again some time
// after the load had gone.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>

#include "random.hpp"

namespace qsohost::skysim {

enum class Verdict : std::uint8_t { Answer, TimeOut, WrongEmpty };

struct Turn {
  Verdict verdict = Verdict::Answer;
  std::chrono::duration<double> wait{0};  // before it is given
};

class Throttle {
 public:
  // Time runs `time_scale` times as fast as in the real service. Off: answers come at once.
  Throttle(bool is_on, double time_scale, std::uint64_t seed);

  // One request, from begin to end: counts as in flight while it exists. Any thread.
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
  double strain() const;  // in_flight, or what is left of earlier load

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
