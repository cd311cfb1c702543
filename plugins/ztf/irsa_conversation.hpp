// The requests to IRSA and its responses for one batch.
//
// By position: a circle around each target. A response without rows must come `confirmations`
// times, each time later, before it counts as "not found": under load the service is known to
// return wrong empty responses (with 5 % of them wrong, five in a row: 3e-7).
//
// By ids: the positions are uploaded to the table of objects in one query; then light curves are
// requested by oid, many per request. Every requested oid must return as many rows as the table
// announced (`nobs`), else it is retried: one that stays without rows fails its targets; a
// different number is accepted when three responses agree. Targets without an object are looked up
// again, half as often as an empty response is retried. If the table of objects fails, light curves
// are requested by position (query_by "auto"), or the targets fail.
//
// If the archive does not announce the end of a response, CSV may have been truncated between two
// lines. By position the same is then requested as a VOTable, which has an end mark, and the CSV is
// accepted if it has as many rows of each object. By ids a number of rows that differs from the
// announced one is accepted when two responses agree (three if it is smaller).
//
// Both ways give the same light curves; ztf_answer.hpp has the rule.
#pragma once

#include <qsohost/http.hpp>

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>

#include "irsa_look_up.hpp"
#include "ztf_answer.hpp"

namespace ztf {

using qsohost::Ending;

// State that the batches of a stage share.
struct Shared {
  std::atomic<bool> table_failed{false};  // the table of objects failed: not queried again
  std::function<void(const std::string&)> warn;
};

class IrsaConversation final : public qsohost::Conversation {
 public:
  // The arguments must outlive it.
  IrsaConversation(const IrsaSettings& settings, Shared& shared, const qsohost::Batch& batch,
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
  enum class Kind : std::uint8_t { Position, Ids, Table, Rows };  // Rows: counts of rows
  struct Question {
    Kind kind = Kind::Position;
    std::size_t place = 0;           // a row, or of look_ups_
    std::vector<std::int64_t> oids;  // ascending; none: by position
    int times = 0;                   // number of earlier attempts
    int malformed = 0;               // malformed responses
    int cut = 0;                     // truncated responses
  };
  struct Target {
    Position position;
    std::vector<std::int64_t> oids;  // by ids
    std::vector<Curve> curves;       // by position
    int empty_answers = 0;
    std::optional<std::map<std::int64_t, std::size_t>> rows;  // in total, of each object
    std::optional<Ending> end;
  };
  struct RequestedObject {       // an oid
    std::int64_t announced = 0;  // epochs
    Curve curve;
    int targets = 0;  // that list it and do not have their epochs yet
    int empty_answers = 0;
    std::map<std::size_t, int> rows;   // number of responses by row count
    std::optional<std::size_t> there;  // rows in total
    int cut = 0;                       // truncated responses
    bool is_taken = false;
    std::optional<Ending> end;
  };

  qsohost::Request ask(Question question, qsohost::Request request);
  qsohost::Request ask_curves(Question question);
  qsohost::Request ask_position(std::size_t row);
  qsohost::Request ask_rows(const Question& position);
  qsohost::Request ask_ids(std::vector<std::int64_t> oids, int times = 0);
  qsohost::Request ask_again(Question question);
  Requests ask_positions(const std::vector<UploadedPosition>& positions);
  Requests ask_table(const std::vector<UploadedPosition>& positions, int round);

  Requests curves_answer(const Question& question, const qsohost::Response& response);
  Requests position_answer(const Question& question, std::vector<Curve> curves, bool is_end_known);
  Requests ids_answer(const Question& question, std::vector<Curve> curves, bool is_end_known);
  Requests rows_answer(const Question& question, const qsohost::Response& response);
  Requests cut(Question question);
  Requests malformed(const Question& question, const std::string& reason);
  void give_up(const Question& question, const Ending& end);
  Requests further(std::optional<qsohost::Request> request, std::size_t look_up);
  Requests table_read(const LookUp& look_up);
  Requests table_failed(const LookUp& look_up);
  std::vector<std::int64_t> list(const LookUp& look_up);
  Requests ids_rows_answer(const Question& question,
                           const std::map<std::int64_t, std::size_t>& rows);
  Requests ask_ids_again(std::vector<std::int64_t> oids, int times);
  bool is_as_announced(const RequestedObject& object) const;
  bool take_if_whole(std::int64_t oid);
  bool take(std::int64_t oid);
  bool is_settled(const Target& target) const;

  static constexpr int kMostCut = 8;  // limit of truncated responses

  std::vector<const Curve*> curves_of(const Target& target, std::optional<Ending>& end) const;
  Ending settle(std::size_t row, qsohost::Batch& batch, qsohost::Outcomes& outcomes);
  void free_curves(Target& target);

  const IrsaSettings& settings_;
  Shared& shared_;
  const qsohost::Batch& batch_;
  qsohost::Counts& counts_;
  std::vector<Target> targets_;  // one a row
  std::map<std::int64_t, RequestedObject> requested_;
  std::deque<LookUp> look_ups_;
  std::deque<Question> questions_;  // a request's tag is its place here
};

}  // namespace ztf
