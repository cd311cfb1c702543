// The part of a conversation that reads the list of the user's tasks, for those whose numbers were
// not heard.
#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "conversation.hpp"

namespace atlas {

namespace {

using qsohost::Outcome;
using qsohost::Request;
using qsohost::Response;

constexpr int kMostPages = 50;
constexpr int kMostOthers = 5;       // pages, one after another, without a task of this batch
constexpr double kSamePlace = 1e-6;  // deg

}  // namespace

// It is in the body of the POST, which tells requests apart: a resumed run must have the same.
std::string AtlasConversation::comment(std::size_t row) const {
  return fmt::format("{}, source {}", settings_.comment, batch_.id(row));
}

std::optional<std::size_t> AtlasConversation::row_of(const ListedTask& task) const {
  const auto it = rows_.find(task.comment);
  if (it == rows_.end()) return std::nullopt;
  const Target& target = targets_[it->second];
  const bool is_there = std::abs(std::remainder(task.ra - target.ra, 360.0)) < kSamePlace &&
                        std::abs(task.dec - target.dec) < kSamePlace;
  return is_there ? std::optional(it->second) : std::nullopt;
}

Request AtlasConversation::list(std::string url, bool at_end) const {
  Request list = request(0, Step::List, std::move(url));
  list.about = "tasks in the queue";
  list.turn = static_cast<int>(2 * batch_.ordinal()) + (at_end ? 1 : 0);
  list.keep = false;
  list.delay = kShortestWait;  // the list is a look at each task in it
  // Whatever else it says, there is no list.
  for (const int status : {403, 405, 406, 410, 500, 501, 502, 504}) list.accept.push_back(status);
  return list;
}

AtlasConversation::Requests AtlasConversation::listed(const Request& request,
                                                      const Response& response) {
  const TaskList page = parse_task_list(response);
  const bool has_none = response.status == 404 || response.status == 405 || response.status == 429;
  if (!page.is_one && !has_none && ++list_faults_ < kMostListFaults) {
    return {request};
  }
  bool has_ours = false;
  for (const ListedTask& task : page.tasks) {
    const auto row = row_of(task);
    if (!row) continue;
    has_ours = true;
    const Target& target = targets_[*row];
    const bool is_left = target.end && target.end->outcome == Outcome::Failed;
    if (!is_at_end_ && target.task == 0) {
      adopt(*row, task.id);
    } else if (!is_left || target.task != task.id) {
      remove(*row, task.id);
    }
  }
  others_ = has_ours ? 0 : others_ + 1;
  if (others_ < kMostOthers && ++pages_ < kMostPages &&
      page.next.starts_with(origin(settings_.url) + "/")) {
    return {list(page.next, is_at_end_)};
  }
  Requests requests;
  for (std::size_t row = 0; !is_at_end_ && row < targets_.size(); ++row) {
    if (targets_[row].task != 0) requests.push_back(known(row, targets_[row].task, true));
  }
  for (Request& write : next_write()) requests.push_back(std::move(write));
  return requests;
}

void AtlasConversation::adopt(std::size_t row, std::int64_t task) {
  std::erase(to_post_, row);
  targets_[row].task = task;
  ++targets_[row].turn;  // that of the POST
  counts_.add("tasks", "found in the queue");
}

}  // namespace atlas
