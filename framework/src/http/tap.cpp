#include "qsohost/tap.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/backoff.hpp"
#include "base/fnv.hpp"
#include "http/judgement.hpp"
#include "http/tap_answer.hpp"
#include "http/tap_request.hpp"
#include "http/unequal_responses.hpp"
#include "http/url.hpp"
#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

namespace {

using std::chrono::milliseconds;

constexpr int kMostJobs = 3;
constexpr int kNotFound = 404;

// 0.5 s, 0.75 s, ... 30 s.
milliseconds before_poll(int polls) {
  const double seconds = Backoff{0.5, 30, 1.5}.seconds(polls + 1);
  return milliseconds(static_cast<std::int64_t>(1000 * seconds));
}

bool is_unfinished(const std::string& phase) {
  constexpr std::array<std::string_view, 6> phases{"PENDING", "QUEUED",    "EXECUTING",
                                                   "HELD",    "SUSPENDED", "UNKNOWN"};
  return std::ranges::find(phases, phase) != phases.end();
}

// The URL of the new job. Services redirect to it, or send a Location, perhaps without a host.
std::string job_url(const Request& request, const Response& response) {
  std::string url = response.url == request.url ? std::string() : response.url;
  if (const auto location = response.header("Location"); url.empty() && !location.empty()) {
    url = resolved_url(request.url, std::string(location));
  }
  url.resize(std::min(url.find('?'), url.size()));
  while (url.ends_with('/')) url.pop_back();
  const auto from = parse_url(request.url);
  const auto to = parse_url(url);
  if (!url.empty() && (!from || !to || !may_redirect(*from, *to))) {
    throw TryAgain(fmt::format("TAP puts the job at {}, which is on another host or without TLS",
                               public_url(url)));
  }
  if (url.empty()) throw TryAgain("TAP took a job and did not say where it is");
  return url;
}

Request get(std::string url) {
  Request request;
  request.url = std::move(url);
  return request;
}

}  // namespace

struct TapExchange::State {
  enum class Step : std::uint8_t { Sync, Create, Start, Poll, Result, Error, Delete };
  using Next = std::optional<Request>;

  Request begin();
  Next answer(const Request& request, const Response& response);
  Next failed(const std::string& reason);

  Request of_job(Step next, Request request);
  Request poll();
  Request start();
  Request remove();
  Next polled(std::string_view body);
  Next read_rows(const Request& request, const Response& response);
  Next read_early(const Request& request, const Response& response);
  Next ask_again(Request request);
  Next anew(const std::string& reason);
  Next removed();
  Next end(std::string reason);

  TapQuery query;
  Reader read;
  Step step = Step::Sync;
  std::string job{};  // its URL
  int jobs = 0;       // this one included
  // Of this job:
  bool is_kept = false;  // created by an earlier attempt
  int polls = 0;
  bool is_started = false;
  bool is_early = false;     // its result is requested without a look at its phase
  bool is_given_up = false;  // deleted, to be created again
  milliseconds waited{0};
  std::vector<std::uint64_t> seen{};  // responses whose end is not known
  std::string failure{};
  bool is_timed_out = false;
};

Request TapExchange::State::begin() {
  step = query.as_job ? Step::Create : Step::Sync;
  Request request = tap_request(query);
  request.turn = query.turn;
  request.delay = query.delay;
  if (query.as_job) request.fresh = jobs++ > 0;
  polls = 0;
  is_started = is_early = is_given_up = false;
  waited = {};
  seen.clear();
  return request;
}

// The next request of this job. Only its result is worth storing, and that it is deleted. A service
// may have deleted a job of an earlier attempt, and may have given its URL to a new one; a job that
// was created just now may be unknown only for a moment, so that 404 is retried.
Request TapExchange::State::of_job(Step next, Request request) {
  step = next;
  if (is_kept) request.accept = {kNotFound};
  request.fresh = !is_kept;
  request.headers = query.headers;
  request.about = "the job " + job;
  request.keep = next == Step::Result || next == Step::Delete;
  return request;
}

Request TapExchange::State::poll() {
  Request request = of_job(Step::Poll, get(job + "/phase"));
  request.turn = polls;
  request.delay = before_poll(polls);
  waited += request.delay;
  ++polls;
  return request;
}

Request TapExchange::State::start() {
  is_started = true;
  return of_job(Step::Start, tap_form(job + "/phase", "PHASE", "RUN"));
}

Request TapExchange::State::remove() {
  Request request = of_job(Step::Delete, get(job));
  request.method = "DELETE";
  return request;
}

TapExchange::State::Next TapExchange::State::polled(std::string_view body) {
  const std::string phase = tap_phase(body);
  // PHASE=RUN was sent along with the query; some services ignore it.
  if (phase == "PENDING" && !is_started) return start();
  if (is_unfinished(phase)) {
    if (waited < query.job_timeout) return poll();
    failure = fmt::format("the job {} is {} after {} s", job, phase, waited.count() / 1000);
    is_timed_out = true;
    return remove();
  }
  if (phase == "COMPLETED") return of_job(Step::Result, get(job + "/results/result"));
  if (phase == "ERROR") return of_job(Step::Error, get(job + "/error"));
  if (phase == "ABORTED" || phase == "ARCHIVED") {  // archived: its results are gone
    return anew(fmt::format("the job {} ended in phase {}", job, phase));
  }
  throw TryAgain(fmt::format("the job {}: '{}' is no phase", job, phase));
}

TapExchange::State::Next TapExchange::State::read_rows(const Request& request,
                                                       const Response& response) {
  check_tap_answer(response);
  if (may_be_cut(response)) {
    const std::uint64_t hash = fnv1a(response.body);
    const bool is_new = std::ranges::find(seen, hash) == seen.end();
    if (is_new) seen.push_back(hash);
    if (is_new) return ask_again(request);
  }
  try {
    read({response.body, has_overflow(response.body, query)});
  } catch (const BadObject& e) {
    failure = e.what();
  }
  if (query.as_job && query.deletes_job) return remove();
  return std::nullopt;
}

// A job that was deleted has no phase any more, but its result may be stored.
TapExchange::State::Next TapExchange::State::read_early(const Request& request,
                                                        const Response& response) {
  try {
    return read_rows(request, response);
  } catch (const TryAgain&) {
    is_early = false;
    return poll();
  }
}

TapExchange::State::Next TapExchange::State::ask_again(Request request) {
  if (seen.size() >= kMostUnequal) {
    return end(
        fmt::format("the archive does not say where its answers end, and of {} no two were equal",
                    seen.size()));
  }
  request.turn += kTurnStep;
  request.delay = {};
  return request;
}

TapExchange::State::Next TapExchange::State::answer(const Request& request,
                                                    const Response& response) {
  if (response.status == kNotFound) return failed(describe(response));
  switch (step) {
    case Step::Sync:
      return read_rows(request, response);
    case Step::Result:
      return is_early ? read_early(request, response) : read_rows(request, response);
    case Step::Create:
      job = job_url(request, response);
      is_kept = response.is_kept;
      is_early = is_kept && query.deletes_job;
      return is_early ? of_job(Step::Result, get(job + "/results/result")) : poll();
    case Step::Start:
      return poll();
    case Step::Poll:
      return polled(response.body);
    case Step::Error: {
      const std::string words = tap_error_words(response);
      return anew(fmt::format("the job {} ended in phase ERROR{}{}", job, words.empty() ? "" : ": ",
                              words));
    }
    case Step::Delete:
      return removed();
  }
  return std::nullopt;
}

TapExchange::State::Next TapExchange::State::failed(const std::string& reason) {
  if (step == Step::Result && std::exchange(is_early, false)) return poll();
  switch (step) {
    case Step::Sync:
    case Step::Create:
      return end(reason);
    case Step::Start:
      return poll();  // if it does not run, its phase shows it
    case Step::Poll:
    case Step::Result:
      return anew(fmt::format("the job {}: {}", job, reason));
    case Step::Error:
      return anew(fmt::format("the job {} ended in phase ERROR", job));
    case Step::Delete:
      return removed();  // the archive's response does not matter
  }
  return std::nullopt;
}

TapExchange::State::Next TapExchange::State::removed() {
  if (is_given_up) return begin();
  return std::nullopt;
}

TapExchange::State::Next TapExchange::State::anew(const std::string& reason) {
  is_given_up = jobs < kMostJobs;
  if (!is_given_up) failure = reason;
  if (query.deletes_job) return remove();
  return is_given_up ? Next(begin()) : std::nullopt;
}

TapExchange::State::Next TapExchange::State::end(std::string reason) {
  failure = std::move(reason);
  return std::nullopt;
}

TapExchange::TapExchange(TapQuery query, Reader read)
    : state_(new State{.query = std::move(query), .read = std::move(read)}) {
  while (state_->query.url.ends_with('/')) state_->query.url.pop_back();
}

TapExchange::~TapExchange() = default;
TapExchange::TapExchange(TapExchange&&) noexcept = default;

Request TapExchange::begin() {
  return state_->begin();
}

std::optional<Request> TapExchange::answer(const Request& request, const Response& response) {
  return state_->answer(request, response);
}

std::optional<Request> TapExchange::failed(const std::string& reason) {
  return state_->failed(reason);
}

const std::string& TapExchange::failure() const {
  return state_->failure;
}

bool TapExchange::is_timed_out() const {
  return state_->is_timed_out;
}

}  // namespace qsohost::inline v1
