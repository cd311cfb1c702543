// Connects a lane that holds a conversation with the client's loop.
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
  std::uint64_t id = 0;  // of the request
  std::string host;
  Request request;
  std::uint64_t sent = 0;  // number of times
  std::uint64_t bytes = 0;
  Response response{};
  std::string failure{};   // not empty: there will be no response, for this reason
  bool stops_run = false;  // every other request to this archive will fail for it
};

class ReplyChannel {
 public:
  enum class End : std::uint8_t {
    No,
    Interrupted,  // the user wants to stop
    Lost,         // a request was dropped: out of memory, or a bug
  };

  Queue<Reply> replies;
  // Only for the loop's thread:
  std::size_t unread = 0;                        // replies that the lane has not judged yet
  std::chrono::steady_clock::time_point busy{};  // when it last did more than wait

  // There will be no more replies. The first reason is kept.
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
