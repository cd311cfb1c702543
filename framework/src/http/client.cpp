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

Reply reply_to(const PendingRequest& question) {
  return {question.id, question.host, question.request, question.sent, question.bytes};
}

void fail(PendingRequest question, const std::string& reason, bool stops_run = false) {
  Reply reply = reply_to(question);
  reply.failure = reason;
  reply.stops_run = stops_run;
  question.talk->replies.push(std::move(reply));
  question.talk.reset();  // it is settled
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
  ConversationRunner(*this, conversation, policy, {std::string(stage), ordinal}, settings_.answers,
                     settings_.recording, counts)
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

void HttpClient::ask(PendingRequest question) {
  question.id = next_id_++;
  send(std::move(question));
}

void HttpClient::judge(std::uint64_t question, const std::string& doubt) {
  send(Judged{question, doubt});
}

void HttpClient::abandon(const std::shared_ptr<ReplyChannel>& talk) {
  send(talk);
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
  for (auto& [name, host] : hosts_) start_ready(host, now);
  const bool is_idle = hosts_.empty() && in_flight_.empty();
  for (auto& finished : transfers_.poll(is_idle ? kIdleTick : kTick)) {
    finish(std::move(finished), std::chrono::steady_clock::now());
  }
  drop_hopeless(std::chrono::steady_clock::now());
  publish(now);
}

Archive& HttpClient::host_of(const PendingRequest& question) {
  const auto [it, is_new] = hosts_.try_emplace(question.host, question.host, settings_.log,
                                               std::hash<std::string>()(question.host));
  return it->second;
}

void HttpClient::take(PendingRequest& question, Time now) {
  if (stopped_ != ReplyChannel::End::No) return question.talk->end(stopped_);
  Archive& host = host_of(question);
  if (!host.given_up().empty()) return fail(std::move(question), host.given_up());
  const Time not_before = now + question.request.delay;
  host.ask(std::move(question), not_before, now);
}

void HttpClient::take(Judged& judged, Time now) {
  auto node = being_read_.extract(judged.id);
  if (node.empty()) return;
  PendingRequest& question = node.mapped();
  --question.talk->unread;
  Archive& host = host_of(question);
  if (judged.doubt.empty()) {
    question.talk.reset();  // it is settled
    return host.trusted(question, now);
  }
  go_on(host, std::move(question), {Severity::Trouble, judged.doubt, false, std::nullopt}, now);
}

void HttpClient::take(std::shared_ptr<ReplyChannel>& abandoned, Time now) {
  drop(*abandoned, now);
}

// Drops the requests of a conversation that no lane holds any more.
void HttpClient::drop(const ReplyChannel& talk, Time now) {
  for (auto& [name, host] : hosts_) host.take_waiting(&talk);
  for (auto it = in_flight_.begin(); it != in_flight_.end();) {
    if (it->second.talk.get() != &talk) {
      ++it;
      continue;
    }
    transfers_.cancel(it->first);
    Archive& host = host_of(it->second);
    host.released(it->second, now);
    host.dropped(it->second);
    it = in_flight_.erase(it);
  }
  std::erase_if(being_read_, [&](const auto& entry) {
    if (entry.second.talk.get() != &talk) return false;
    host_of(entry.second).dropped(entry.second);
    return true;
  });
}

void HttpClient::start_ready(Archive& host, Time now) {
  const auto may_send = [](const ReplyChannel& talk) { return talk.unread < kMostUnread; };
  Total& total = totals_[host.name()];
  while (auto question = host.next(now, may_send)) {
    const HttpPolicy& policy = question->policy;
    transfers_.start(question->id, question->request,
                     {policy.timeout, policy.max_body, user_agent(policy)});
    ++total.requests;
    if (question->sent > 1) ++total.again;
    in_flight_.emplace(question->id, std::move(*question));
  }
}

void HttpClient::finish(Transfers::Finished finished, Time now) {
  auto node = in_flight_.extract(finished.id);
  if (node.empty()) return;
  PendingRequest question = std::move(node.mapped());
  Archive& host = host_of(question);
  const bool timed_out_unanswered =
      finished.end.kind == TransferEnd::Kind::TimedOut && finished.end.bytes_received == 0;
  host.released(question, now, timed_out_unanswered);
  question.bytes += finished.end.bytes_received;
  totals_[host.name()].bytes += finished.end.bytes_received;
  log_transfer(question, finished.end);
  const Judgement verdict = judge_transfer(finished.end, question.request.accept);
  if (verdict.meaning != Severity::Answer) return go_on(host, std::move(question), verdict, now);
  answered_[question.host] = now;
  ++question.talk->unread;
  Reply reply = reply_to(question);
  reply.response = std::move(finished.end.response);
  question.talk->replies.push(std::move(reply));
  being_read_.emplace(question.id, std::move(question));
}

void HttpClient::log_transfer(const PendingRequest& question, const TransferEnd& end) const {
  const Request& request = question.request;
  settings_.log(
      LogLevel::Debug,
      fmt::format("{} {}{}: {}, {} bytes", request.method, public_url(request.url),
                  question.sent > 1 ? fmt::format(" (again, {})", question.sent) : "",
                  end.detail.empty() ? fmt::format("HTTP {}", end.response.status) : end.detail,
                  end.bytes_received));
}

void HttpClient::go_on(Archive& host, PendingRequest question, const Judgement& verdict, Time now) {
  switch (verdict.meaning) {
    case Severity::Answer:
      return;
    case Severity::HostFinal:
      host.give_up(verdict.reason);
      host.dropped(question);
      return fail(std::move(question), verdict.reason);
    case Severity::Final:
      host.harmless(question, now);
      return fail(std::move(question), verdict.reason);
    case Severity::Forbidden:
      host.harmless(question, now);
      return fail(std::move(question), verdict.reason, true);
    case Severity::Refusal:
      if (verdict.is_denied && !settings_.has_settled && host.denies_all(question)) {
        host.harmless(question, now);
        return fail(std::move(question), verdict.reason, true);
      }
      [[fallthrough]];
    case Severity::Trouble:
      if (auto hopeless = host.again(std::move(question), verdict, now)) {
        const std::uint64_t times = hopeless->sent;
        fail(std::move(*hopeless), fmt::format("{} (asked {} times)", verdict.reason, times));
      }
  }
}

void HttpClient::drop_hopeless(Time now) {
  for (auto& [name, host] : hosts_) {
    for (PendingRequest& question : host.hopeless(now)) fail(std::move(question), host.given_up());
  }
}

// The user wants to stop, so a conversation that only waits is ended: for an archive that is down
// or says "later", for the start time of a request, or for a retry. A first attempt does not count
// as waiting while its archive still answers others.
void HttpClient::drain(Time now) {
  if (!draining_since_) draining_since_ = now;
  std::set<std::shared_ptr<ReplyChannel>> waiting;
  const auto answers = [&](const PendingRequest& question) {
    return now - std::max(answered_[question.host], *draining_since_) < kDrainPatience;
  };
  const auto note = [&](const PendingRequest& question, bool is_busy) {
    if (is_busy) question.talk->busy = now;
    waiting.insert(question.talk);
  };
  for (const auto& [id, question] : being_read_) note(question, true);
  for (const auto& [id, question] : in_flight_) {
    note(question, question.attempts == 0 && !question.is_probe && answers(question));
  }
  for (const auto& [name, host] : hosts_) {
    const bool is_away = host.is_waiting(now);
    for (const auto& [when, question] : host.waiting()) {
      note(question, !is_away && when <= now && question.attempts == 0 && answers(question));
    }
  }
  for (const std::shared_ptr<ReplyChannel>& talk : waiting) {
    if (now - std::max(talk->busy, *draining_since_) < kDrainPatience) continue;
    talk->end(ReplyChannel::End::Interrupted);
    drop(*talk, now);
    if (std::exchange(has_left_, true)) continue;
    settings_.log(LogLevel::Info,
                  "batches that would have to wait for an archive are left for --resume");
  }
}

void HttpClient::stop_all(ReplyChannel::End why) noexcept {
  stopped_ = why;
  for (auto& [name, host] : hosts_) {
    for (const auto& [when, question] : host.waiting()) question.talk->end(why);
    host.forget_all();
  }
  for (const auto& [id, question] : in_flight_) {
    question.talk->end(why);
    transfers_.cancel(id);
  }
  in_flight_.clear();
  for (const auto& [id, question] : being_read_) question.talk->end(why);
  being_read_.clear();
}

void HttpClient::publish(Time now) {
  std::string waiting;
  std::vector<std::string> notes;
  for (const auto& [name, host] : hosts_) {
    if (host.is_waiting(now)) waiting += (waiting.empty() ? "" : ", ") + name;
    const Total& total = totals_[name];
    notes.push_back(
        fmt::format("{}: {} requests, {} of them again, {:.1f} MB; {} at a time, {} at "
                    "most",
                    name, total.requests, total.again, static_cast<double>(total.bytes) / 1e6,
                    host.limit().level(), host.limit().highest()));
  }
  const std::lock_guard lock(mutex_);
  waiting_ = std::move(waiting);
  notes_ = std::move(notes);
}

}  // namespace qsohost::inline v1
