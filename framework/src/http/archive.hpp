// What is known of one remote host, shared by all stages and lanes of a run: how many requests it
// bears, which questions wait for it, and whether it is there at all. No clock and no network in
// here.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "http/concurrency_limit.hpp"
#include "http/judgement.hpp"
#include "qsohost/context.hpp"

namespace qsohost::inline v1 {

// Who asked: replies go there.
class ReplyChannel;

// Whoever drops a question that nobody answered or failed ends its talk, so that no lane waits for
// it for ever.
struct PendingRequest {
  PendingRequest() = default;
  ~PendingRequest();
  PendingRequest(PendingRequest&&) noexcept = default;
  PendingRequest& operator=(PendingRequest&&) noexcept = default;
  PendingRequest(const PendingRequest&) = delete;
  PendingRequest& operator=(const PendingRequest&) = delete;

  std::uint64_t id = 0;
  std::string host{};  // remote_host() of its URL
  Request request{};
  HttpPolicy policy{};
  std::shared_ptr<ReplyChannel> talk{};  // none once it is settled
  int attempts = 0;              // that went wrong while the host was there
  int refusals = 0;              // of these
  bool is_probe = false;         // sent to see whether the host is back
  ConcurrencyLimit::Sample sample{};
  std::uint64_t sent = 0;   // times
  std::uint64_t bytes = 0;  // received
};

class Archive {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Log = std::function<void(LogLevel, const std::string&)>;

  Archive(std::string name, Log log, std::uint64_t seed);

  const std::string& name() const { return name_; }
  const ConcurrencyLimit& limit() const { return limit_; }
  bool is_waiting(Time now) const { return is_down_ || now < retry_after_; }
  // Not empty: it was given up, for this reason.
  const std::string& given_up() const { return given_up_; }

  void ask(PendingRequest question, Time not_before, Time now);
  // The next question to send now, if there is one; `may_send` refuses those of a talk that has
  // unread answers enough.
  std::optional<PendingRequest> next(Time now, const std::function<bool(const ReplyChannel&)>& may_send);
  // The transfer of a question from next() is over. Where it was `given_up` unanswered, the archive
  // may go on working on it: its place stays taken for a while.
  void released(PendingRequest& question, Time now, bool given_up = false);

  // What it came to; each question that was released gets one of these.
  void trusted(const PendingRequest& question, Time now);
  void harmless(const PendingRequest& question, Time now);  // the host is there, and says no
  void dropped(const PendingRequest& question);             // nobody wants to know any more
  // Asks it again later, or gives it back when it has been asked often enough.
  std::optional<PendingRequest> again(PendingRequest question, const Judgement& verdict, Time now);
  void give_up(const std::string& reason);

  // Questions that nobody will ask any more: their host was given up.
  std::vector<PendingRequest> hopeless(Time now);
  // Those that wait; of one talk, or all.
  std::vector<PendingRequest> take_waiting(const ReplyChannel* of = nullptr);
  // By when each may be sent, if the host takes any.
  const std::multimap<Time, PendingRequest>& waiting() const { return waiting_; }
  void forget_all() noexcept;  // also those on their way

 private:
  ConcurrencyLimit::Seconds seconds(Time now) const { return now.time_since_epoch(); }
  std::chrono::duration<double> jittered(std::chrono::duration<double> time);
  std::chrono::duration<double> back_off(int attempts);
  void alive(Time now);
  void failed(const PendingRequest& question, const Judgement& verdict, Time now);
  void pause(Time now, const std::string& reason);
  void obey(std::chrono::seconds retry_after, Time now);
  bool is_wanted(Time now) const;

  std::string name_;
  Log log_;
  std::mt19937_64 random_;
  ConcurrencyLimit limit_;
  std::multimap<Time, PendingRequest> waiting_;  // by when they may be sent
  std::size_t in_flight_ = 0;
  std::multiset<Time> lingering_;  // until when given-up requests count
  std::size_t open_ = 0;           // asked, and not settled
  Time retry_after_{};
  std::chrono::duration<double> told_wait_{
      0};  // of those for Retry-After, the last that was logged

  bool is_down_ = false;
  Time probe_at_{};
  std::chrono::duration<double> pause_{0};
  int failures_ = 0;  // in a row
  int unreachable_ = 0;
  Time silent_since_{};  // its last sign of life, or since when anything is wanted from it
  std::chrono::milliseconds patience_{0};
  std::chrono::milliseconds timeout_{0};
  std::string last_reason_;
  std::string given_up_;
};

}  // namespace qsohost::inline v1
