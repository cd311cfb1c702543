// The requests to the queue of ATLAS and its responses for one batch: a task for each object is
// posted, looked at until it is finished, its result read, and the task deleted.
//
// All answers are kept, those of unfinished tasks too: a resumed run goes through them again until
// it comes to what it has not asked yet. So it posts no second task, and does not need one that was
// deleted after its result was read. The answer to a POST may be lost, by a kill or on its way: a
// task says in its comment whose it is, and the list of tasks is read twice. Tasks of this batch
// that are there at its beginning are taken for posted; those that are there at its end, when all
// that is known was deleted, are deleted too.
//
// The server allows so many POSTs and DELETEs a minute. One at a time is sent, so that none is
// under way when the server says how long to wait. At most kMostTasks of a batch are in the queue:
// the server works on one user's tasks one after another, so that more would only be looked at
// more.
#pragma once

#include <qsohost/http.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "result.hpp"
#include "server_words.hpp"

namespace atlas {

struct Settings {
  std::string comment;     // of every task, before the identifier of its object
  std::string url;         // without a slash at its end
  std::string header;      // with the token
  std::string parameters;  // of every task, besides its position
  std::chrono::milliseconds poll{10'000};
  std::chrono::seconds task_timeout{86'400};
  std::function<void(const std::string&)> info;
};

class AtlasConversation final : public qsohost::Conversation {
 public:
  // The arguments must outlive it.
  AtlasConversation(const Settings& settings, const qsohost::Batch& batch,
                    std::span<const double> ras, std::span<const double> decs,
                    qsohost::Counts& counts);

  std::vector<qsohost::Request> begin() override;
  std::vector<qsohost::Request> answer(const qsohost::Request& request,
                                       const qsohost::Response& response) override;
  std::vector<qsohost::Request> failed(const qsohost::Request& request,
                                       const std::string& reason) override;
  void finish(qsohost::Batch& batch, qsohost::Outcomes& outcomes) override;
  std::size_t unsettled() const override;

 private:
  using Requests = std::vector<qsohost::Request>;
  using Milliseconds = std::chrono::milliseconds;
  using Clock = std::chrono::steady_clock;
  enum class Step : std::uint8_t { List, Post, Look, Result, Delete };
  static constexpr std::uint64_t kSteps = 5;
  static constexpr int kMostListFaults = 10;         // answers that are no list
  static constexpr Milliseconds kShortestWait{500};  // between looks, after the first ones

  struct Target {
    double ra = 0, dec = 0;
    std::int64_t task = 0;            // its number at the server
    Clock::time_point since;          // when this run came to know the task
    int turn = 0;                     // requests for this object so far, of any kind
    int looks = 0;                    // at this task
    int refused = 0;                  // answers in a row that are none
    int malformed = 0;                // results that cannot be read
    int errors = 0;                   // tasks that ended with an error
    int empty = 0;                    // results without rows
    std::vector<std::uint64_t> seen;  // results whose end is not known
    atlas::Result result;
    std::optional<qsohost::Ending> end;
  };

  qsohost::Request request(std::size_t row, Step step, std::string url) const;
  qsohost::Request list(std::string url, bool at_end) const;
  qsohost::Request post(std::size_t row);
  qsohost::Request look(std::size_t row, Milliseconds delay);
  qsohost::Request again(const qsohost::Request& request, Milliseconds delay);
  std::string task_url(std::int64_t task) const;
  std::string result_url(const std::string& given) const;
  Milliseconds pace(const Target& target, const qsohost::Response& response) const;

  std::string comment(std::size_t row) const;
  std::optional<std::size_t> row_of(const ListedTask& task) const;
  Requests listed(const qsohost::Request& request, const qsohost::Response& response);
  void adopt(std::size_t row, std::int64_t task);
  void remove(std::size_t row, std::int64_t task);
  qsohost::Request known(std::size_t row, std::int64_t task, bool is_old);

  Requests next_write();
  Requests throttled(const qsohost::Request& request, const qsohost::Response& response);
  Requests refused(const qsohost::Request& request, const qsohost::Response& response);
  Requests posted(std::size_t row, std::int64_t task, bool is_kept);
  Requests looked(std::size_t row, const qsohost::Request& request,
                  const qsohost::Response& response);
  Requests unfinished(std::size_t row, const qsohost::Response& response);
  Requests task_failed(std::size_t row, const std::string& error, bool is_kept);
  Requests received(std::size_t row, const qsohost::Request& request,
                    const qsohost::Response& response);
  bool is_repeated(Target& target, const qsohost::Response& response) const;
  Requests anew(std::size_t row);
  Requests settle(std::size_t row, qsohost::Ending end);
  Requests leave(std::size_t row, const std::string& reason);

  const Settings& settings_;
  const qsohost::Batch& batch_;
  qsohost::Counts& counts_;
  std::vector<Target> targets_;              // one a row
  std::map<std::string, std::size_t> rows_;  // by comment
  int pages_ = 0;                            // of the list
  int others_ = 0;                           // of them, the last ones without a task of this batch
  int list_faults_ = 0;
  bool is_at_end_ = false;           // of the batch: the list is read for the second time
  std::deque<std::size_t> to_post_;  // rows
  std::deque<qsohost::Request> to_delete_;
  std::size_t tasks_ = 0;         // that are in the queue and not read
  bool is_writing_ = false;       // a POST or DELETE has no answer yet
  Clock::time_point not_before_;  // the next one
};

}  // namespace atlas
