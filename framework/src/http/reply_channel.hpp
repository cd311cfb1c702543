// What passes between a lane that holds a conversation and the loop that asks for it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/queue.hpp"
#include "qsohost/http.hpp"

namespace qsohost::inline v1 {

struct Reply {
  std::uint64_t id = 0;  // of the question
  std::string host;
  Request request;
  std::uint64_t sent = 0;  // times
  std::uint64_t bytes = 0;
  Response response{};
  std::string failure{};   // not empty: there will be no answer, for this reason
  bool stops_run = false;  // whatever is asked there will fail for it
};

class ReplyChannel {
 public:
  enum class End : std::uint8_t {
    No,
    Interrupted,  // the user wants to stop
    Lost,         // a question was dropped: out of memory, or a fault of ours
  };

  Queue<Reply> replies;
  // The loop's own:
  std::size_t unread = 0;                        // answers that the lane has not judged yet
  std::chrono::steady_clock::time_point busy{};  // when it last was more than waiting

  // There will be no more replies. The first reason holds.
  void end(End why) noexcept {
    End none = End::No;
    end_.compare_exchange_strong(none, why);
    replies.close();
  }
  End ended() const { return end_; }

 private:
  std::atomic<End> end_{End::No};
};

}  // namespace qsohost::inline v1
