// The requests about the sources of one batch, to DataLink or to a TAP service.
//
// Sources are asked for many at a time, in an order by a hash of their identifiers, so that a
// failure rate that grows during a long run does not favour some part of the sky. A list that fails
// is halved, down to one source: one that the service cannot answer does not cost the others.
//
// A source that an answer leaves out may have no epochs, or the answer was incomplete. It is "not
// found" only if gaia_source.has_epoch_photometry is false, or if that is not known and a second
// request for it alone gives nothing either. One that has epochs by that flag is asked for several
// times, and then fails.
//
// In VizieR's table, with a row a transit, the rows of each source are counted first: a list is
// asked for only if its rows are fewer than a sync answer may have, and a source whose rows are not
// all there is asked for again.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include <qsohost/http.hpp>
#include <qsohost/tap.hpp>

#include "answer.hpp"
#include "datalink_exchange.hpp"
#include "remote.hpp"

namespace gaia {

class EpochConversation final : public qsohost::Conversation {
 public:
  // The arguments must outlive it, but for `ids`.
  EpochConversation(const RemoteSettings& settings, RemoteState& state,
                    std::span<const std::int64_t> ids, qsohost::Counts& counts);

  std::vector<qsohost::Request> begin() override;
  std::vector<qsohost::Request> answer(const qsohost::Request& request,
                                       const qsohost::Response& response) override;
  std::vector<qsohost::Request> failed(const qsohost::Request& request,
                                       const std::string& reason) override;
  std::size_t unsettled() const override;

  // When no request is pending.
  LookUp take_found() { return std::move(found_); }

 private:
  using Ids = std::vector<std::int64_t>;
  using Requests = std::vector<qsohost::Request>;
  using Exchange = std::variant<DataLinkExchange, qsohost::TapExchange>;
  enum class Kind : std::uint8_t { Columns, Counts, Epochs, Flags };
  struct Question {
    Kind kind;
    Ids ids;
    int turn = 0;
    bool is_kept = false;  // answered by an earlier attempt at this batch
    std::optional<Exchange> exchange{};
    // What was read, by kind.
    std::string selection{};
    EpochAnswer epochs{};
    std::map<std::int64_t, std::int64_t> counts{};
    std::map<std::int64_t, bool> flags{};
  };
  struct Source {
    int asked = 0;                     // requests for it
    int empty = 0;                     // answers without it
    int doubted = 0;                   // answers whose part of it could not be trusted
    std::optional<std::int64_t> rows;  // as counted
    std::optional<bool> has_epochs;    // gaia_source.has_epoch_photometry
    bool is_settled = false;
  };

  Requests start();
  std::string selection();  // "" if it is not known yet
  Requests ask(Question question, std::chrono::milliseconds delay, bool is_fresh = false);
  Exchange exchange_of(Question& question, std::chrono::milliseconds delay);
  Requests ask_epochs(const Ids& ids);
  Requests ask_rows(Kind kind, const Ids& ids);
  Requests ask_flags();
  Requests ask_alone(std::int64_t id, bool is_fresh);

  Requests further(std::size_t place, std::optional<qsohost::Request> next);
  Requests read(Question& question);
  Requests lost(const Question& question, const std::string& reason);
  Requests counts_read(const Question& question);
  Requests epochs_read(Question& question);
  Requests flags_read(const Question& question);
  Requests absent(std::int64_t id, const Question& question);
  Requests doubt(std::int64_t id, const std::string& reason, bool is_kept);
  Requests after_flags(const Ids& ids, bool is_fresh);
  void settle(std::int64_t id, qsohost::Ending end);
  void take(std::vector<Block> blocks, const std::set<std::int64_t>& trusted);
  std::string words(std::string_view reason) const;

  const RemoteSettings& settings_;
  RemoteState& state_;
  qsohost::Counts& counts_;
  Ids ids_;  // in the order in which they are asked for
  std::unordered_map<std::int64_t, Source> sources_;
  std::deque<Question> questions_;  // a request's tag is its place here
  std::size_t lists_ = 0;           // that are open: lists that were asked for
  Ids absent_;                      // left out of one of them
  std::size_t unsettled_;
  LookUp found_;
};

}  // namespace gaia
