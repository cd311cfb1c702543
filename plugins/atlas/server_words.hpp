// What the server says of tasks and of waiting.
#pragma once

#include <qsohost/http.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace atlas {

// A task of the queue. Throws TryAgain for what is none.
struct Task {
  std::int64_t id = 0;
  bool is_finished = false;
  std::string result_url{};  // "" if there is none
  std::string error{};       // "" if there is none
};
Task parse_task(const qsohost::Response& response);

// A page of the list of the user's tasks, the newest first. Empty for what is none: the list is
// only needed to find tasks whose numbers were not heard.
struct ListedTask {
  std::int64_t id = 0;
  std::string comment{};
  double ra = 0, dec = 0;  // deg
};
struct TaskList {
  bool is_one = false;  // false: the response is something else
  std::vector<ListedTask> tasks;
  std::string next{};  // URL of the next page; "" if there is none
};
TaskList parse_task_list(const qsohost::Response& response);

// The wait that a response with status 429 names, in its text ("Expected available in 27 seconds.",
// "... in 2 minutes.") or in Retry-After; the longer one. A minute if it names none, since that is
// the period of the server's limits.
std::chrono::seconds named_wait(const qsohost::Response& response);

// "https://fallingstar-data.com" of a URL there.
std::string origin(const std::string& url);

// Status and first words, for messages.
std::string in_short(const qsohost::Response& response);

}  // namespace atlas
