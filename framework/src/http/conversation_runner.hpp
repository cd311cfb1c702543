// Runs one conversation on a lane: requests of the Conversation go to the client's loop, and
// replies go back to the Conversation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "http/archive.hpp"
#include "http/fetch_board.hpp"
#include "http/reply_channel.hpp"
#include "http/response_stores.hpp"

namespace qsohost::inline v1 {

// The part of the client that a ConversationRunner sees.
class RequestQueue {
 public:
  virtual ~RequestQueue() = default;
  virtual void ask(PendingRequest pending) = 0;                        // sets its id
  virtual void judge(std::uint64_t id, const std::string& doubt) = 0;  // "": trusted
  virtual void abandon(const std::shared_ptr<ReplyChannel>& channel) = 0;
};

// Throws RunError for a request that a plugin must not make.
void check_request(const Request& request);

// For a Severity::Forbidden: reports what ends the run, and what to do about it.
[[noreturn]] void throw_forbidden(const Request& request, const std::string& reason);

class ConversationRunner {
 public:
  ConversationRunner(RequestQueue& asking, Conversation& conversation, HttpPolicy policy,
                     AnswerStore::Owner owner, ResponseStores stores, Counts& counts,
                     FetchBoard::Entry& progress);
  // Returns when no request is open. Throws what the Conversation throws, except TryAgain;
  // Interrupted when the user stops the run; RunError when the loop cannot go on.
  void hold();

 private:
  void give(std::vector<Request> requests);
  std::optional<Response> find(const Request& request);
  AnswerStore::Owner owner_of(const Request& request) const;
  void ask(Request request);
  void wait();
  void take(const Reply& reply);
  bool take_stored(const Request& request, const Response& response);
  void keep(const Request& request, const Response& response);
  void count(const Reply& reply);

  RequestQueue& asking_;
  Conversation& conversation_;
  HttpPolicy policy_;
  AnswerStore::Owner owner_;
  ResponseStores stores_;
  Counts& counts_;
  FetchBoard::Entry& progress_;
  bool has_stored_ = false;
  std::map<std::uint64_t, int> looks_;  // offline: how often the state of a job was used
  std::shared_ptr<ReplyChannel> channel_ = std::make_shared<ReplyChannel>();
  std::deque<std::pair<Request, Response>> stored_;  // responses that were in the store
  std::size_t open_ = 0;                             // requests at the loop
};

}  // namespace qsohost::inline v1
