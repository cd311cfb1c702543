#include "http/archive.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/backoff.hpp"
#include "base/ticks.hpp"
#include "http/reply_channel.hpp"

namespace qsohost::inline v1 {

namespace {

using Seconds = std::chrono::duration<double>;

constexpr Seconds kShortestBackOff{0.1};
constexpr Seconds kLongestFirstBackOff{2};
constexpr Seconds kLongestBackOff{30};
// An archive is considered down after this many failures, or refused connections, in a row.
constexpr int kFailures = 8;
constexpr int kUnreachable = 3;
// While an archive has given no good response, so many requests that it denies mean that it denies
// all.
constexpr int kDenied = 8;
constexpr int kLingers = 3;  // a given-up request, for this fraction of its timeout
// A request with a delay polls a job or confirms an answer: its retries must not come at once.
constexpr Seconds kBeforeDelayedAgain{0.5};
constexpr Seconds kFirstPause{1};
constexpr Seconds kLongestPause{30};
// A Retry-After can be a mistake: a timestamp instead of seconds, or a wrong clock. See also
// HttpPolicy.
constexpr Seconds kLongestObeyed = ConnectionLease::kLongestPause;
constexpr double kMuchLonger = 10;

std::string utc(std::chrono::system_clock::time_point moment) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(moment)));
}

}  // namespace

PendingRequest::~PendingRequest() {
  if (channel) channel->end(ReplyChannel::End::Lost);
}

Archive::Archive(std::string name, Log log, std::uint64_t seed)
    : name_(std::move(name)), log_(std::move(log)), random_(seed) {}

Seconds Archive::jittered(Seconds time) {
  return Seconds(qsohost::jittered(time.count(), random_));
}

// The first delay is as long as a typical response takes; it doubles with each attempt.
Seconds Archive::back_off(int attempts) {
  const Seconds first =
      std::clamp(Seconds(limit_.typical()), kShortestBackOff, kLongestFirstBackOff);
  return jittered(Seconds(Backoff{first.count(), kLongestBackOff.count()}.seconds(attempts)));
}

void Archive::ask(PendingRequest pending, Time not_before, Time now) {
  if (open_++ == 0) silent_since_ = now;
  patience_ = std::max(patience_, pending.policy.patience);
  timeout_ = std::max(timeout_, pending.policy.timeout);
  limit_.cap(pending.policy.max_connections);
  if (lease_) lease_->cap(pending.policy.max_connections);
  waiting_.emplace(not_before, std::move(pending));
}

std::optional<PendingRequest> Archive::next(
    Time now, const std::function<bool(const ReplyChannel&)>& may_send) {
  if (!given_up_.empty() || now < retry_after_) return std::nullopt;
  if (is_down_ && (now < probe_at_ || in_flight_ > 0)) return std::nullopt;
  const std::size_t used = at_work(now);
  if (!is_down_ && used >= static_cast<std::size_t>(limit_.level())) return std::nullopt;
  for (auto it = waiting_.begin(); it != waiting_.end() && it->first <= now; ++it) {
    if (!may_send(*it->second.channel)) continue;
    if (!may_connect(used + 1, now)) return std::nullopt;
    PendingRequest pending = std::move(it->second);
    waiting_.erase(it);
    ++in_flight_;
    ++pending.sent;
    pending.is_probe = is_down_;
    // The next probe waits, however this one ends.
    if (is_down_) probe_at_ = now + ticks(pause_);
    limit_.begin(pending.id, seconds(now));
    return pending;
  }
  if (!is_down_) limit_.starved();
  return std::nullopt;
}

// Requests that the archive works on, as far as can be known.
std::size_t Archive::at_work(Time now) {
  lingering_.erase(lingering_.begin(), lingering_.upper_bound(now));
  return in_flight_ + lingering_.size();
}

bool Archive::may_connect(std::size_t count, Time now) {
  if (!lease_) return true;
  note_pause(now);
  if (now < retry_after_) return false;
  is_crowded_out_ = !lease_->cover(count, now);
  return !is_crowded_out_;
}

// What the archive has told any of the runs holds for all of them.
void Archive::note_pause(Time now) {
  const Seconds left = lease_->pause_left(now);
  const Time end = now + ticks(left);
  if (left <= Seconds(0) || end <= retry_after_) return;
  const bool is_news = end > retry_after_ + std::chrono::seconds(1);  // not a rounded clock
  retry_after_ = end;
  if (!is_news) return;
  log_(LogLevel::Info, fmt::format("{} has asked another run to wait (Retry-After); it is asked "
                                   "again in {:.0f} s",
                                   name_, left.count()));
}

void Archive::leave_unused(Time now) {
  if (lease_) lease_->keep(at_work(now), now);
}

void Archive::released(PendingRequest& pending, Time now, bool timed_out_unanswered) {
  --in_flight_;
  if (timed_out_unanswered) lingering_.insert(now + pending.policy.timeout / kLingers);
  pending.sample = limit_.end(pending.id, seconds(now));
}

void Archive::alive(Time now) {
  silent_since_ = now;
  failures_ = unreachable_ = 0;
  if (!is_down_) return;
  is_down_ = false;
  limit_.restart(seconds(now));
  log_(LogLevel::Info, fmt::format("{} answers again", name_));
}

void Archive::trusted(const PendingRequest& pending, Time now) {
  --open_;
  has_good_ = true;
  limit_.judge(pending.sample, true, seconds(now));
  alive(now);
}

void Archive::harmless(const PendingRequest& /*pending*/, Time now) {
  --open_;
  alive(now);
}

void Archive::dropped(const PendingRequest& /*pending*/) {
  --open_;
}

void Archive::pause(Time now, const std::string& reason) {
  const bool is_new = !is_down_;
  pause_ = is_new ? kFirstPause : std::min(2 * pause_, kLongestPause);
  is_down_ = true;
  probe_at_ = now + ticks(jittered(pause_));
  if (is_new) {
    log_(LogLevel::Warning,
         fmt::format("{} gives no good answer any more ({}); waiting for it, up to {} s", name_,
                     reason, std::chrono::duration_cast<std::chrono::seconds>(patience_).count()));
  }
}

// Half of the patience at most, so that the archive is tried once more before it is given up.
void Archive::obey(std::chrono::seconds retry_after, Time now) {
  const Seconds most = std::min(kLongestObeyed, Seconds(patience_) / 2);
  const Seconds wait = std::clamp(Seconds(retry_after), Seconds(0), most);
  retry_after_ = std::max(retry_after_, now + ticks(wait));
  if (lease_) lease_->pause(wait);
  if (wait <= kMuchLonger * logged_wait_) return;
  logged_wait_ = wait;
  const auto until = std::chrono::system_clock::now() +
                     std::chrono::duration_cast<std::chrono::system_clock::duration>(wait);
  log_(LogLevel::Warning,
       fmt::format("{} asks to wait {} s (Retry-After); it is asked again {}at {}", name_,
                   retry_after.count(), Seconds(retry_after) > most ? "all the same " : "",
                   utc(until)));
}

void Archive::failed(const PendingRequest& pending, const Judgement& verdict, Time now) {
  last_reason_ = verdict.reason;
  ++failures_;
  unreachable_ = verdict.is_unreachable ? unreachable_ + 1 : 0;
  if (verdict.retry_after) obey(*verdict.retry_after, now);
  if (is_down_) {
    if (pending.is_probe) pause(now, verdict.reason);
    return;
  }
  if (failures_ >= kFailures || unreachable_ >= kUnreachable) return pause(now, verdict.reason);
  limit_.judge(pending.sample, false, seconds(now));
}

std::optional<PendingRequest> Archive::again(PendingRequest pending, const Judgement& verdict,
                                             Time now) {
  if (verdict.meaning == Severity::Refusal) {
    ++pending.refusals;
    alive(now);
  } else {
    failed(pending, verdict, now);
  }
  if (!pending.is_probe) ++pending.attempts;
  if (pending.attempts >= pending.policy.max_attempts || pending.refusals >= kMostRefusals) {
    --open_;
    return pending;
  }
  const Seconds least = std::min(kBeforeDelayedAgain, Seconds(pending.request.delay));
  const Seconds wait = std::max(least, back_off(std::max(1, pending.attempts)));
  waiting_.emplace(now + ticks(wait), std::move(pending));
  return std::nullopt;
}

bool Archive::denies_all(const PendingRequest& pending) {
  if (has_good_ || pending.has_stored) return false;
  if (pending.refusals == 0) ++denied_;
  const bool is_last = open_ == 1 && pending.refusals + 1 >= kMostRefusals;
  return is_last || denied_ >= kDenied;
}

void Archive::give_up(const std::string& reason) {
  if (!given_up_.empty()) return;
  given_up_ = reason;
  log_(LogLevel::Warning, fmt::format("{} is given up for this run: {}", name_, reason));
}

// True if a request waits for the archive itself, and not only for its own start time, which a
// plugin may set far ahead, or for other runs.
bool Archive::is_wanted(Time now) const {
  if (in_flight_ > 0) return true;
  if (is_crowded_out_) return false;
  return std::ranges::any_of(
      waiting_, [&](const auto& entry) { return entry.first <= now || entry.second.sent > 0; });
}

// Only time counts: everything else known of an archive changes with every late response. While it
// accepts requests, the first of them may still be answered within its timeout.
std::vector<PendingRequest> Archive::hopeless(Time now) {
  if (!is_wanted(now)) silent_since_ = now;
  const Seconds silent = now - silent_since_;
  const Seconds most = is_waiting(now) ? Seconds(patience_) : Seconds(patience_ + timeout_);
  if (given_up_.empty() && !waiting_.empty() && silent >= most) {
    give_up(
        fmt::format("no good answer from {} for {:.0f} s (last: {}); try again with "
                    "--retry-failed",
                    name_, silent.count(), last_reason_.empty() ? "none" : last_reason_));
  }
  return given_up_.empty() ? std::vector<PendingRequest>() : take_waiting();
}

std::vector<PendingRequest> Archive::take_waiting(const ReplyChannel* of) {
  std::vector<PendingRequest> out;
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    if (of != nullptr && it->second.channel.get() != of) {
      ++it;
      continue;
    }
    out.push_back(std::move(it->second));
    it = waiting_.erase(it);
  }
  open_ -= out.size();
  return out;
}

void Archive::forget_all() noexcept {
  waiting_.clear();
  open_ = in_flight_ = 0;
}

}  // namespace qsohost::inline v1
