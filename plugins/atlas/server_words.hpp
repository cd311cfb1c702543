// What the server says of tasks and of waiting.
#pragma once

#include <qsohost/http.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace atlas {

// A task of the queue. Throws TryAgain for what is none.
struct Task {
  std::int64_t id = 0;
  bool is_finished = false;
  std::string result_url{};  // "" if there is none
  std::string error{};       // "" if there is none
};
Task parse_task(const qsohost::Response& response);

// The wait that a response with status 429 names, in its text ("Expected available in 27 seconds.",
// "... in 2 minutes.") or in Retry-After; the longer one. A minute if it names none, since that is
// the period of the server's limits.
std::chrono::seconds named_wait(const qsohost::Response& response);

// Status and first words, for messages.
std::string in_short(const qsohost::Response& response);

}  // namespace atlas
