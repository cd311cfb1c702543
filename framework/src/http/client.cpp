#include "http/client.hpp"

#include <fmt/format.h>

#include <exception>
#include <functional>
#include <utility>

#include "http/verdict.hpp"

namespace qsohost::inline v1 {

namespace {

using std::chrono::milliseconds;

// Questions wait for their time, and signals for somebody to look, no longer than this.
constexpr milliseconds kTick{50};
constexpr milliseconds kIdleTick{500};
// Answers that may wait for a lane; while there are more, nothing is asked for it.
constexpr std::size_t kMostUnread = 16;

void fail(Question question, const std::string& reason) {
  const std::shared_ptr<Talk> talk = question.talk;
  talk->replies.push({std::move(question), {}, reason});
}

std::string user_agent(const HttpPolicy& policy) {
  return "qsohost/" QSOHOST_VERSION +
         (policy.contact.empty() ? std::string() : fmt::format(" (+{})", policy.contact));
}

}  // namespace

HttpClient::HttpClient(Settings settings)
    : settings_(std::move(settings)), thread_([this] { loop(); }) {}

HttpClient::~HttpClient() {
  is_over_ = true;
  transfers_.wake();
  thread_.join();
}

void HttpClient::hold(Conversation& conversation, const HttpPolicy& policy, std::string_view stage,
                      std::uint64_t ordinal, Counts& counts) {
  Dialogue(*this, conversation, policy, {std::string(stage), ordinal}, settings_.answers,
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

void HttpClient::ask(Question question) {
  question.id = next_id_++;
  send(std::move(question));
}

void HttpClient::judge(std::uint64_t question, const std::string& doubt) {
  send(Judged{question, doubt});
}

void HttpClient::abandon(const std::shared_ptr<Talk>& talk) {
  send(talk);
}

void HttpClient::send(Message message) {
  {
    const std::lock_guard lock(mutex_);
    messages_.push_back(std::move(message));
  }
  transfers_.wake();
}

void HttpClient::loop() {
  while (!is_over_) {
    try {
      turn();
    } catch (const std::exception& e) {
      stop_all(e.what());
    }
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
  if (settings_.interrupts != nullptr && settings_.interrupts->load() > 1) {
    stop_all("the run was stopped");
  }
  for (auto& [name, host] : hosts_) start_ready(host, now);
  const bool is_idle = hosts_.empty() && in_flight_.empty();
  for (auto& finished : transfers_.poll(is_idle ? kIdleTick : kTick)) {
    finish(std::move(finished), std::chrono::steady_clock::now());
  }
  drop_hopeless(std::chrono::steady_clock::now());
  publish(now);
}

RemoteHost& HttpClient::host_of(const Question& question) {
  const auto [it, is_new] = hosts_.try_emplace(question.host, question.host, settings_.log,
                                               std::hash<std::string>()(question.host));
  return it->second;
}

void HttpClient::take(Question& question, Time now) {
  RemoteHost& host = host_of(question);
  if (!stopped_.empty()) return fail(std::move(question), stopped_);
  if (!host.given_up().empty()) return fail(std::move(question), host.given_up());
  const Time not_before = now + question.request.delay;
  host.ask(std::move(question), not_before, now);
}

void HttpClient::take(Judged& judged, Time now) {
  auto node = being_read_.extract(judged.id);
  if (node.empty()) return;
  Question& question = node.mapped();
  --question.talk->unread;
  RemoteHost& host = host_of(question);
  if (judged.doubt.empty()) return host.trusted(question, now);
  go_on(host, std::move(question), {Meaning::Trouble, judged.doubt, false, std::nullopt}, now);
}

void HttpClient::take(std::shared_ptr<Talk>& abandoned, Time now) {
  for (auto& [name, host] : hosts_) host.take_waiting(abandoned.get());
  for (auto it = in_flight_.begin(); it != in_flight_.end();) {
    if (it->second.talk != abandoned) {
      ++it;
      continue;
    }
    transfers_.cancel(it->first);
    RemoteHost& host = host_of(it->second);
    host.released(it->second, now);
    host.dropped(it->second);
    it = in_flight_.erase(it);
  }
  std::erase_if(being_read_, [&](const auto& entry) {
    if (entry.second.talk != abandoned) return false;
    host_of(entry.second).dropped(entry.second);
    return true;
  });
}

void HttpClient::start_ready(RemoteHost& host, Time now) {
  const auto may_send = [](const Talk& talk) { return talk.unread < kMostUnread; };
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
  Question question = std::move(node.mapped());
  RemoteHost& host = host_of(question);
  const bool is_given_up =
      finished.end.kind == TransferEnd::Kind::TimedOut && finished.end.bytes_received == 0;
  host.released(question, now, is_given_up);
  question.bytes += finished.end.bytes_received;
  totals_[host.name()].bytes += finished.end.bytes_received;
  const Verdict verdict = judge_transfer(finished.end);
  if (verdict.meaning != Meaning::Answer) return go_on(host, std::move(question), verdict, now);
  ++question.talk->unread;
  question.talk->replies.push({question, std::move(finished.end.response), {}});
  being_read_.emplace(question.id, std::move(question));
}

void HttpClient::go_on(RemoteHost& host, Question question, const Verdict& verdict, Time now) {
  switch (verdict.meaning) {
    case Meaning::Answer:
      return;
    case Meaning::HostFinal:
      host.give_up(verdict.reason);
      host.dropped(question);
      return fail(std::move(question), verdict.reason);
    case Meaning::Final:
      host.harmless(question, now);
      return fail(std::move(question), verdict.reason);
    case Meaning::Trouble:
    case Meaning::Refusal:
      if (auto hopeless = host.again(std::move(question), verdict, now)) {
        const std::uint64_t times = hopeless->sent;
        fail(std::move(*hopeless), fmt::format("{} (asked {} times)", verdict.reason, times));
      }
  }
}

void HttpClient::drop_hopeless(Time now) {
  for (auto& [name, host] : hosts_) {
    for (Question& question : host.hopeless(now)) fail(std::move(question), host.given_up());
  }
}

void HttpClient::stop_all(const std::string& reason) {
  stopped_ = reason;
  for (auto& [name, host] : hosts_) {
    for (Question& question : host.take_waiting()) fail(std::move(question), reason);
  }
  for (auto& [id, question] : in_flight_) {
    transfers_.cancel(id);
    RemoteHost& host = host_of(question);
    host.released(question, std::chrono::steady_clock::now());
    host.dropped(question);
    fail(std::move(question), reason);
  }
  in_flight_.clear();
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
