// The requests to IRSA and its responses for one batch.
//
// The positions are uploaded in one query, which returns how many rows each has; then the rows are
// asked for, in lots of at most kMostRows rows, and compared with the counts: IRSA cuts off large
// transfers, and cuts answers without a sign. If the counts cannot be had, the rows are asked for
// as a VOTable, which marks its end. A lot that fails, or that is cut each time, is halved; a job
// that fails is divided into queries that need none.
//
// A target without rows is asked for again after confirm_after. An answer that has the rows of
// another target is enough then, so one that is known to have some is uploaded along; where all are
// without rows, `confirmations` answers are needed.
//
// A few targets are asked for by cones, one a target. So are all (query_by "auto") if the first
// upload of the run fails.
#pragma once

#include <qsohost/http.hpp>

#include <atomic>
#include <deque>
#include <functional>
#include <optional>
#include <span>

#include "neowise_query.hpp"

namespace neowise {

// State that the batches of a stage share.
struct Shared {
  std::atomic<bool> upload_works{false};  // one was answered
  std::atomic<bool> by_cone{false};       // uploads fail
  std::atomic<bool> has_warned_of_counts{false};
  std::function<void(const std::string&)> warn;
};

class Conversation final : public qsohost::Conversation {
 public:
  // The arguments must outlive it.
  Conversation(const Settings& settings, Shared& shared, std::span<const double> ras,
               std::span<const double> decs, qsohost::Counts& counts);

  std::vector<qsohost::Request> begin() override;
  std::vector<qsohost::Request> answer(const qsohost::Request& request,
                                       const qsohost::Response& response) override;
  std::vector<qsohost::Request> failed(const qsohost::Request& request,
                                       const std::string& reason) override;
  void finish(qsohost::Batch& batch, qsohost::Outcomes& outcomes) override;
  std::size_t unsettled() const override;

 private:
  using Requests = std::vector<qsohost::Request>;
  struct State {
    Target target;
    std::vector<Exposure> exposures{};
    int empty_answers = 0;  // that count
    bool is_read = false;
    std::optional<qsohost::Ending> end{};
  };

  void ask(Ask kind, Lot lot, Requests& requests);
  void ask_all(const std::vector<Target>& targets, Requests& requests);
  void ask_rows(const std::vector<Target>& counted, bool by_cone, Requests& requests);
  void ask_again(const Query& query, bool is_proof, Requests& requests);
  Requests further(std::optional<qsohost::Request> request, std::size_t query);
  Requests counts_read(const Query& query);
  Requests rows_read(Query& query);
  Requests query_failed(const Query& query);
  void divide(const Query& query, std::size_t most, Requests& requests);
  void give_up(const Query& query);
  std::optional<Target> witness() const;

  const Settings& settings_;
  Shared& shared_;
  qsohost::Counts& counts_;
  std::vector<State> states_;  // one a row
  std::deque<Query> queries_;  // by the tag in the request
  int failures_ = 0;           // queries that failed without an answer since there was one
};

}  // namespace neowise
