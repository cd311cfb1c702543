// What IRSA is asked and answers about one batch.
//
// By position: a circle around each target. An answer without rows must come `confirmations` times,
// each time later, before it counts as "not found": under load the service is known to give empty
// answers that are wrong (5 % of them wrong and five asked: 3e-7).
//
// By ids: the positions go to the table of objects in one question; then light curves are
// asked by oid, many in a request. Every oid that was asked must come back with as many rows as the
// table announced (`nobs`), else it is asked again: one that stays without rows makes its targets
// fail; a number that differs is believed when three answers agree. Targets without an object are
// looked up again half as often as an empty answer is asked again. What cannot be found out about
// the table of objects is asked by position (query_by "auto"), or fails.
//
// Where the archive does not announce the end of an answer, CSV may have been cut between two
// lines. By position the same is then asked for as a VOTable, which says where it ends, and the CSV
// is believed when it has as many rows of each object. By ids a number of rows that is not the
// announced one is believed when two answers agree (three if it is smaller).
//
// Both give the same light curves; ztf_answer.hpp has the rule.
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

// What the batches of a stage share.
struct Shared {
  std::atomic<bool> table_failed{false};  // the table of objects: not asked any more
  std::function<void(const std::string&)> warn;
};

class IrsaConversation final : public qsohost::Conversation {
 public:
  // All of these must outlive it.
  IrsaConversation(const IrsaSettings& settings, Shared& shared, const qsohost::Batch& batch,
                   std::span<const double> ras, std::span<const double> decs,
                   qsohost::Counts& counts);

  std::vector<qsohost::Request> begin() override;
  std::vector<qsohost::Request> answer(const qsohost::Request& request,
                                       const qsohost::Response& response) override;
  std::vector<qsohost::Request> failed(const qsohost::Request& request,
                                       const std::string& reason) override;
  void finish(qsohost::Batch& batch, qsohost::Outcomes& outcomes) override;

 private:
  using Requests = std::vector<qsohost::Request>;
  enum class Kind : std::uint8_t { Position, Ids, Table, Rows };  // Rows: how many there are
  struct Question {
    Kind kind = Kind::Position;
    std::size_t place = 0;           // a row, or of look_ups_
    std::vector<std::int64_t> oids;  // ascending; none: by position
    int times = 0;                   // that it was asked before
    int malformed = 0;               // answers to it
    int cut = 0;                     // answers to it that ended too early
  };
  struct Target {
    Position position;
    std::vector<std::int64_t> oids;  // by ids
    std::vector<Curve> curves;       // by position
    int empty_answers = 0;
    std::optional<std::map<std::int64_t, std::size_t>> rows;  // that there are, of each object
    std::optional<Ending> end;
  };
  struct RequestedObject {       // an oid
    std::int64_t announced = 0;  // epochs
    Curve curve;
    int empty_answers = 0;
    std::map<std::size_t, int> rows;   // answers with so many
    std::optional<std::size_t> there;  // rows that there are
    int cut = 0;                       // answers that ended too early
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

  static constexpr int kMostCut = 8;  // answers that end too early

  std::vector<const Curve*> curves_of(const Target& target, std::optional<Ending>& end) const;
  Ending settle(std::size_t row, qsohost::Batch& batch, qsohost::Outcomes& outcomes);

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
