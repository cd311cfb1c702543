// State of one archive, shared by all stages and lanes of a run: how many concurrent requests it
// sustains, which requests are queued for it, and whether it is up. Has no clock and no network;
// other runs it knows of by a ConnectionLease.
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
#include <utility>
#include <vector>

#include "http/concurrency_limit.hpp"
#include "http/connection_lease.hpp"
#include "http/judgement.hpp"
#include "qsohost/context.hpp"

namespace qsohost::inline v1 {

// Where replies go.
class ReplyChannel;

// Code that drops a request that was neither answered nor failed ends its reply channel, so that no
// lane waits for it forever.
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
  std::shared_ptr<ReplyChannel> channel{};  // none once settled
  int attempts = 0;                         // failed ones while the archive was up
  int refusals = 0;                         // among the attempts
  bool has_stored = false;  // its conversation has stored responses of an earlier attempt
  bool is_probe = false;    // sent to see whether the archive is back
  ConcurrencyLimit::Sample sample{};
  std::uint64_t sent = 0;   // number of times
  std::uint64_t bytes = 0;  // received
};

class Archive {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Log = std::function<void(LogLevel, const std::string&)>;

  Archive(std::string name, Log log, std::uint64_t seed);
  // From now on its connections are shared with other runs.
  void share(std::unique_ptr<ConnectionLease> lease) { lease_ = std::move(lease); }

  const std::string& name() const { return name_; }
  const ConcurrencyLimit& limit() const { return limit_; }
  bool is_waiting(Time now) const { return is_down_ || now < retry_after_; }
  // The reason why it was given up; empty if it was not.
  const std::string& given_up() const { return given_up_; }

  void ask(PendingRequest pending, Time not_before, Time now);
  // The next request to send now, if any; `may_send` refuses those of a channel that has enough
  // unread replies.
  std::optional<PendingRequest> next(Time now,
                                     const std::function<bool(const ReplyChannel&)>& may_send);
  // The transfer of a request from next() is over. If it was `timed_out_unanswered`, the archive
  // may still work on it, so it counts as in flight for a while longer.
  void released(PendingRequest& pending, Time now, bool timed_out_unanswered = false);
  // After the last of next(): connections that are not used are left to other runs.
  void leave_unused(Time now);

  // The outcome; each released request gets exactly one of these calls.
  void trusted(const PendingRequest& pending, Time now);
  void harmless(const PendingRequest& pending, Time now);  // the archive is up, and refuses
  void dropped(const PendingRequest& pending);             // its result is no longer needed
  // Queues a retry, or returns the request when its attempts are used up.
  std::optional<PendingRequest> again(PendingRequest pending, const Judgement& verdict, Time now);
  // The response to this request was 403: true if that is likely to hold for all. Some archives
  // deny single objects, and fast, while good responses take long.
  bool denies_all(const PendingRequest& pending);
  void give_up(const std::string& reason);

  // Requests that will not be sent any more: their archive was given up.
  std::vector<PendingRequest> hopeless(Time now);
  // The queued requests; of one channel, or all.
  std::vector<PendingRequest> take_waiting(const ReplyChannel* of = nullptr);
  // By the time when each may be sent, if the archive accepts any.
  const std::multimap<Time, PendingRequest>& waiting() const { return waiting_; }
  void forget_all() noexcept;  // also those in flight

 private:
  ConcurrencyLimit::Seconds seconds(Time now) const { return now.time_since_epoch(); }
  std::chrono::duration<double> jittered(std::chrono::duration<double> time);
  std::chrono::duration<double> back_off(int attempts);
  void alive(Time now);
  void failed(const PendingRequest& pending, const Judgement& verdict, Time now);
  void pause(Time now, const std::string& reason);
  void obey(std::chrono::seconds retry_after, Time now);
  bool is_wanted(Time now) const;
  std::size_t at_work(Time now);
  bool may_connect(std::size_t count, Time now);
  void note_pause(Time now);

  std::string name_;
  Log log_;
  std::mt19937_64 random_;
  ConcurrencyLimit limit_;
  std::unique_ptr<ConnectionLease> lease_;       // none: no other run shares the connections
  bool is_crowded_out_ = false;                  // other runs use the connections that it wants
  std::multimap<Time, PendingRequest> waiting_;  // by the time when they may be sent
  std::size_t in_flight_ = 0;
  std::multiset<Time> lingering_;  // until when given-up requests count as in flight
  std::size_t open_ = 0;           // requested, and not settled
  Time retry_after_{};
  std::chrono::duration<double> logged_wait_{0};  // the last wait for Retry-After that was logged

  bool is_down_ = false;
  Time probe_at_{};
  std::chrono::duration<double> pause_{0};
  bool has_good_ = false;  // gave a trusted response
  int denied_ = 0;         // requests, before that
  int failures_ = 0;       // in a row
  int unreachable_ = 0;
  Time silent_since_{};  // last sign of life, or since when a request waits for it
  std::chrono::milliseconds patience_{0};
  std::chrono::milliseconds timeout_{0};
  std::string last_reason_;
  std::string given_up_;
};

}  // namespace qsohost::inline v1
