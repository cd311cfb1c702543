#include "http/conversation_runner.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/interrupted.hpp"
#include "http/judgement.hpp"
#include "http/url.hpp"
#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

namespace {

// Means "later" too, but some archives name the moment in a text that only the plugin can read.
constexpr int kTooManyRequests = 429;

constexpr int kMostLooks = 8;

}  // namespace

void check_request(const Request& request) {
  for (const int status : request.accept) {
    if (!means_later(status) || status == kTooManyRequests) continue;
    throw RunError(
        fmt::format("a request accepts status {}, but that means \"later\", never an answer; its "
                    "plugin must leave it to the host",
                    status));
  }
  // A line break in a header would start another one. The value may be a secret and is not shown.
  for (const std::string& header : request.headers) {
    if (header.find_first_of("\r\n") != std::string::npos) {
      throw RunError(
          fmt::format("header '{}' of a request contains a line break; its plugin must take it out",
                      header.substr(0, header.find_first_of(":\r\n"))));
    }
  }
}

void throw_forbidden(const Request& request, const std::string& reason) {
  const auto url = parse_url(request.url);
  throw RunError(fmt::format(
      "{} refuses access ({}, for {} {}). It is likely to refuse every object: is the token or "
      "password right, and still valid? (`qsohost inspect` says where the stage takes it from; go "
      "on with --resume)",
      url ? url->remote_host() : "the archive", reason, request.method, public_url(request.url)));
}

ConversationRunner::ConversationRunner(RequestQueue& asking, Conversation& conversation,
                                       HttpPolicy policy, AnswerStore::Owner owner,
                                       ResponseStores stores, Counts& counts,
                                       FetchBoard::Entry& progress)
    : asking_(asking),
      conversation_(conversation),
      policy_(std::move(policy)),
      owner_(std::move(owner)),
      stores_(stores),
      counts_(counts),
      progress_(progress),
      has_stored_(stores.answers != nullptr && stores.answers->count(owner_) > 0) {}

void ConversationRunner::hold() {
  try {
    give(conversation_.begin());
    while (open_ > 0 || !stored_.empty()) {
      progress_.update(conversation_.unsettled(), open_);
      if (!stored_.empty()) {
        auto [request, response] = std::move(stored_.front());
        stored_.pop_front();
        if (!take_stored(request, response)) ask(std::move(request));
      } else {
        wait();
      }
    }
    progress_.update(0, 0);
  } catch (...) {
    asking_.abandon(channel_);
    throw;
  }
}

void ConversationRunner::wait() {
  const std::optional<Reply> reply = channel_->replies.pop();
  switch (channel_->ended()) {
    case ReplyChannel::End::No:
      break;
    case ReplyChannel::End::Interrupted:
      throw Interrupted();
    case ReplyChannel::End::Lost:
      throw RunError(
          "requests were lost in this program (out of memory, or for what the error before this "
          "one "
          "says); go on with --resume");
  }
  if (reply) take(*reply);
}

void ConversationRunner::give(std::vector<Request> requests) {
  for (Request& request : requests) {
    if (auto response = find(request)) {
      stored_.emplace_back(std::move(request), std::move(*response));
    } else if (stores_.use == StoreUse::Offline) {
      give(conversation_.failed(request,
                                "no response to this request is stored, and --offline sends none "
                                "(get it with --fetch-only --retry-failed)"));
    } else {
      ask(std::move(request));
    }
  }
}

AnswerStore::Owner ConversationRunner::owner_of(const Request& request) const {
  return {owner_.stage, request.of_stage ? AnswerStore::kEveryBatch : owner_.ordinal};
}

// Offline, the conversation is repeated as it was held: with what was asked anew, and with the last
// state of a job, at which one that was given up would look for ever.
std::optional<Response> ConversationRunner::find(const Request& request) {
  if (stores_.answers == nullptr || (!has_stored_ && !request.of_stage)) return std::nullopt;
  if (stores_.use != StoreUse::Offline) {
    if (!request.keep || request.fresh) return std::nullopt;
    return stores_.answers->find(owner_of(request), request);
  }
  if (!request.keep && ++looks_[AnswerStore::identity(request)] > kMostLooks) return std::nullopt;
  auto response = stores_.answers->find(owner_of(request), request);
  if (response) response->is_kept = false;  // nothing newer can be had
  return response;
}

void ConversationRunner::ask(Request request) {
  check_request(request);
  const auto url = parse_url(request.url);
  if (!url) {
    give(conversation_.failed(
        request, fmt::format("'{}' is no URL of http or https", public_url(request.url))));
    return;
  }
  PendingRequest pending;
  pending.host = url->remote_host();
  pending.request = std::move(request);
  pending.policy = policy_;
  pending.channel = channel_;
  pending.has_stored = has_stored_;
  ++open_;
  asking_.ask(std::move(pending));
}

bool ConversationRunner::take_stored(const Request& request, const Response& response) {
  try {
    auto further = conversation_.answer(request, response);
    counts_.add("answers", "stored before");
    if (stores_.recording != nullptr) stores_.recording->put({}, request, response);
    give(std::move(further));
    return true;
  } catch (const TryAgain& e) {
    if (stores_.use != StoreUse::Offline) return false;
    give(conversation_.failed(request, e.what()));
    return true;
  }
}

void ConversationRunner::take(const Reply& reply) {
  const Request& request = reply.request;
  if (!reply.failure.empty()) {
    --open_;
    count(reply);
    if (reply.stops_run) throw_forbidden(request, reply.failure);
    give(conversation_.failed(request, reply.failure));
    return;
  }
  std::vector<Request> further;
  try {
    further = conversation_.answer(request, reply.response);
  } catch (const TryAgain& e) {
    asking_.judge(reply.id, e.what());
    return;
  }
  keep(request, reply.response);
  asking_.judge(reply.id, {});
  --open_;
  count(reply);
  give(std::move(further));
}

void ConversationRunner::keep(const Request& request, const Response& response) {
  const bool is_kept = request.keep || stores_.use == StoreUse::Fetch;
  if (stores_.answers != nullptr && is_kept) {
    stores_.answers->put(owner_of(request), request, response);
  }
  if (stores_.recording != nullptr) stores_.recording->put({}, request, response);
}

void ConversationRunner::count(const Reply& reply) {
  if (reply.sent == 0) return;
  counts_.add(reply.host, "requests", static_cast<std::int64_t>(reply.sent));
  counts_.add(reply.host, "asked again", static_cast<std::int64_t>(reply.sent - 1));
  counts_.add(reply.host, "bytes", static_cast<std::int64_t>(reply.bytes));
}

}  // namespace qsohost::inline v1
