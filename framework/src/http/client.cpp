#include "http/client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "base/caught.hpp"
#include "http/judgement.hpp"
#include "http/url.hpp"

namespace qsohost::inline v1 {

namespace {

using std::chrono::milliseconds;

// Requests that are due and signals are noticed at most this late.
constexpr milliseconds kTick{50};
constexpr milliseconds kIdleTick{500};
// Unread replies of a lane at which nothing more is sent for it.
constexpr std::size_t kMostUnread = 16;

// After an interrupt, a conversation that has only waited for this long is left for --resume.
constexpr milliseconds kDrainPatience{5000};

Reply reply_to(const PendingRequest& pending) {
  return {pending.id, pending.host, pending.request, pending.sent, pending.bytes};
}

void fail(PendingRequest pending, const std::string& reason, bool stops_run = false) {
  Reply reply = reply_to(pending);
  reply.failure = reason;
  reply.stops_run = stops_run;
  pending.channel->replies.push(std::move(reply));
  pending.channel.reset();  // it is settled
}

// A log that throws (disk full) must not leave a request unanswered.
Archive::Log careful(Archive::Log log) {
  return [log = std::move(log)](LogLevel level, const std::string& text) noexcept {
    try {
      if (log) log(level, text);
    } catch (...) {  // NOLINT(bugprone-empty-catch): there is nowhere to say it
    }
  };
}

std::string user_agent(const HttpPolicy& policy) {
  return "qsohost/" QSOHOST_VERSION +
         (policy.contact.empty() ? std::string() : fmt::format(" (+{})", policy.contact));
}

}  // namespace

HttpClient::HttpClient(Settings settings) : settings_(std::move(settings)) {
  settings_.log = careful(std::move(settings_.log));
  thread_ = std::thread([this] { loop(); });
}

HttpClient::~HttpClient() {
  is_over_ = true;
  transfers_.wake();
  thread_.join();
}

void HttpClient::hold(Conversation& conversation, const HttpPolicy& policy, std::string_view stage,
                      std::uint64_t ordinal, Counts& counts) {
  FetchBoard::Entry progress(board_, std::string(stage));
  ConversationRunner(*this, conversation, policy, {std::string(stage), ordinal}, settings_.stores,
                     counts, progress)
      .hold();
}

std::string HttpClient::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_;
}

std::vector<std::string> HttpClient::notes() const {
  const std::lock_guard lock(mutex_);
  return notes_;
}

void HttpClient::ask(PendingRequest pending) {
  pending.id = next_id_++;
  send(std::move(pending));
}

void HttpClient::judge(std::uint64_t id, const std::string& doubt) {
  send(Judged{id, doubt});
}

void HttpClient::abandon(const std::shared_ptr<ReplyChannel>& channel) {
  send(channel);
}

void HttpClient::send(Message message) {
  {
    const std::lock_guard lock(mutex_);
    messages_.push_back(std::move(message));
  }
  transfers_.wake();
}

// An exception here leaves requests in an unknown state: all are ended, and the run stops.
void HttpClient::loop() {
  while (!is_over_) {
    try {
      turn();
    } catch (...) {
      const bool is_new = stopped_ == ReplyChannel::End::No;
      stop_all(ReplyChannel::End::Lost);
      if (is_new) say_caught();
    }
  }
}

// Call in a catch block. Out of memory, it logs nothing.
void HttpClient::say_caught() const noexcept {
  try {
    settings_.log(LogLevel::Error, "asking over HTTP has stopped: " + current_exception_message());
  } catch (...) {  // NOLINT(bugprone-empty-catch)
  }
}

void HttpClient::turn() {
  std::vector<Message> messages;
  {
    const std::lock_guard lock(mutex_);
    messages.swap(messages_);
  }
  const Time now = std::chrono::steady_clock::now();
  for (Message& message : messages) {
    std::visit([&](auto& what) { take(what, now); }, message);
  }
  const int interrupts = settings_.interrupts == nullptr ? 0 : settings_.interrupts->load();
  if (interrupts > 1) {
    stop_all(ReplyChannel::End::Interrupted);
  } else if (interrupts > 0) {
    drain(now);
  }
  for (auto& [name, archive] : archives_) start_ready(archive, now);
  const bool is_idle = archives_.empty() && in_flight_.empty();
  for (auto& finished : transfers_.poll(is_idle ? kIdleTick : kTick)) {
    finish(std::move(finished), std::chrono::steady_clock::now());
  }
  drop_hopeless(std::chrono::steady_clock::now());
  publish(now);
}

Archive& HttpClient::archive_of(const PendingRequest& pending) {
  const auto [it, is_new] = archives_.try_emplace(pending.host, pending.host, settings_.log,
                                                  std::hash<std::string>()(pending.host));
  if (is_new && !settings_.share_connections.empty()) {
    it->second.share(std::make_unique<ConnectionLease>(settings_.share_connections, pending.host));
  }
  return it->second;
}

void HttpClient::take(PendingRequest& pending, Time now) {
  if (stopped_ != ReplyChannel::End::No) return pending.channel->end(stopped_);
  Archive& archive = archive_of(pending);
  if (!archive.given_up().empty()) return fail(std::move(pending), archive.given_up());
  const Time not_before = now + pending.request.delay;
  archive.ask(std::move(pending), not_before, now);
}

void HttpClient::take(Judged& judged, Time now) {
  auto node = being_read_.extract(judged.id);
  if (node.empty()) return;
  PendingRequest& pending = node.mapped();
  --pending.channel->unread;
  Archive& archive = archive_of(pending);
  if (judged.doubt.empty()) {
    pending.channel.reset();  // it is settled
    return archive.trusted(pending, now);
  }
  go_on(archive, std::move(pending), {Severity::Problem, judged.doubt, false, std::nullopt}, now);
}

void HttpClient::take(std::shared_ptr<ReplyChannel>& abandoned, Time now) {
  drop(*abandoned, now);
}

// Drops the requests of a conversation that no lane holds any more.
void HttpClient::drop(const ReplyChannel& channel, Time now) {
  for (auto& [name, archive] : archives_) archive.take_waiting(&channel);
  for (auto it = in_flight_.begin(); it != in_flight_.end();) {
    if (it->second.channel.get() != &channel) {
      ++it;
      continue;
    }
    transfers_.cancel(it->first);
    Archive& archive = archive_of(it->second);
    archive.released(it->second, now);
    archive.dropped(it->second);
    it = in_flight_.erase(it);
  }
  std::erase_if(being_read_, [&](const auto& entry) {
    if (entry.second.channel.get() != &channel) return false;
    archive_of(entry.second).dropped(entry.second);
    return true;
  });
}

void HttpClient::start_ready(Archive& archive, Time now) {
  const auto may_send = [](const ReplyChannel& channel) { return channel.unread < kMostUnread; };
  Total& total = totals_[archive.name()];
  while (auto pending = archive.next(now, may_send)) {
    const HttpPolicy& policy = pending->policy;
    transfers_.start(pending->id, pending->request,
                     {policy.timeout, policy.max_body, user_agent(policy)});
    ++total.requests;
    if (pending->sent > 1) ++total.again;
    in_flight_.emplace(pending->id, std::move(*pending));
  }
  archive.leave_unused(now);
}

void HttpClient::finish(Transfers::Finished finished, Time now) {
  auto node = in_flight_.extract(finished.id);
  if (node.empty()) return;
  PendingRequest pending = std::move(node.mapped());
  Archive& archive = archive_of(pending);
  const bool timed_out_unanswered =
      finished.end.kind == TransferEnd::Kind::TimedOut && finished.end.bytes_received == 0;
  archive.released(pending, now, timed_out_unanswered);
  pending.bytes += finished.end.bytes_received;
  totals_[archive.name()].bytes += finished.end.bytes_received;
  log_transfer(pending, finished.end);
  const Judgement verdict = judge_transfer(finished.end, pending.request.accept);
  if (verdict.meaning != Severity::Answer) return go_on(archive, std::move(pending), verdict, now);
  answered_[pending.host] = now;
  ++pending.channel->unread;
  Reply reply = reply_to(pending);
  reply.response = std::move(finished.end.response);
  pending.channel->replies.push(std::move(reply));
  being_read_.emplace(pending.id, std::move(pending));
}

void HttpClient::log_transfer(const PendingRequest& pending, const TransferEnd& end) const {
  const Request& request = pending.request;
  settings_.log(
      LogLevel::Debug,
      fmt::format("{} {}{}: {}, {} bytes", request.method, public_url(request.url),
                  pending.sent > 1 ? fmt::format(" (again, {})", pending.sent) : "",
                  end.detail.empty() ? fmt::format("HTTP {}", end.response.status) : end.detail,
                  end.bytes_received));
}

void HttpClient::go_on(Archive& archive, PendingRequest pending, const Judgement& verdict,
                       Time now) {
  switch (verdict.meaning) {
    case Severity::Answer:
      return;
    case Severity::HostFinal:
      archive.give_up(verdict.reason);
      archive.dropped(pending);
      return fail(std::move(pending), verdict.reason);
    case Severity::Final:
      archive.harmless(pending, now);
      return fail(std::move(pending), verdict.reason);
    case Severity::Forbidden:
      archive.harmless(pending, now);
      return fail(std::move(pending), verdict.reason, true);
    case Severity::Refusal:
      if (verdict.is_denied && !settings_.has_settled && archive.denies_all(pending)) {
        archive.harmless(pending, now);
        return fail(std::move(pending), verdict.reason, true);
      }
      [[fallthrough]];
    case Severity::Problem:
      if (auto hopeless = archive.again(std::move(pending), verdict, now)) {
        const std::uint64_t times = hopeless->sent;
        fail(std::move(*hopeless), fmt::format("{} (asked {} times)", verdict.reason, times));
      }
  }
}

void HttpClient::drop_hopeless(Time now) {
  for (auto& [name, archive] : archives_) {
    for (PendingRequest& pending : archive.hopeless(now))
      fail(std::move(pending), archive.given_up());
  }
}

// The user wants to stop, so a conversation that only waits is ended: for an archive that is down
// or says "later", for the start time of a request, or for a retry. A first attempt does not count
// as waiting while its archive still answers others.
void HttpClient::drain(Time now) {
  if (!draining_since_) draining_since_ = now;
  std::set<std::shared_ptr<ReplyChannel>> waiting;
  const auto answers = [&](const PendingRequest& pending) {
    return now - std::max(answered_[pending.host], *draining_since_) < kDrainPatience;
  };
  const auto note = [&](const PendingRequest& pending, bool is_busy) {
    if (is_busy) pending.channel->busy = now;
    waiting.insert(pending.channel);
  };
  for (const auto& [id, pending] : being_read_) note(pending, true);
  for (const auto& [id, pending] : in_flight_) {
    note(pending, pending.attempts == 0 && !pending.is_probe && answers(pending));
  }
  for (const auto& [name, archive] : archives_) {
    const bool is_away = archive.is_waiting(now);
    for (const auto& [when, pending] : archive.waiting()) {
      note(pending, !is_away && when <= now && pending.attempts == 0 && answers(pending));
    }
  }
  for (const std::shared_ptr<ReplyChannel>& channel : waiting) {
    if (now - std::max(channel->busy, *draining_since_) < kDrainPatience) continue;
    channel->end(ReplyChannel::End::Interrupted);
    drop(*channel, now);
    if (std::exchange(has_left_, true)) continue;
    settings_.log(LogLevel::Info,
                  "batches that would have to wait for an archive are left for --resume");
  }
}

void HttpClient::stop_all(ReplyChannel::End why) noexcept {
  stopped_ = why;
  for (auto& [name, archive] : archives_) {
    for (const auto& [when, pending] : archive.waiting()) pending.channel->end(why);
    archive.forget_all();
  }
  for (const auto& [id, pending] : in_flight_) {
    pending.channel->end(why);
    transfers_.cancel(id);
  }
  in_flight_.clear();
  for (const auto& [id, pending] : being_read_) pending.channel->end(why);
  being_read_.clear();
}

void HttpClient::publish(Time now) {
  std::string waiting;
  std::vector<std::string> notes;
  for (const auto& [name, archive] : archives_) {
    if (archive.is_waiting(now)) waiting += (waiting.empty() ? "" : ", ") + name;
    const Total& total = totals_[name];
    notes.push_back(
        fmt::format("{}: {} requests, {} of them again, {:.1f} MB; {} at a time, {} at "
                    "most",
                    name, total.requests, total.again, static_cast<double>(total.bytes) / 1e6,
                    archive.limit().level(), archive.limit().highest()));
  }
  const std::lock_guard lock(mutex_);
  waiting_ = std::move(waiting);
  notes_ = std::move(notes);
}

}  // namespace qsohost::inline v1
