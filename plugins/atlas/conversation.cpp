#include "conversation.hpp"

#include <fmt/format.h>

#include <qsohost/error.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string_view>
#include <utility>

#include "columns.hpp"

namespace atlas {

namespace {

using qsohost::Ending;
using qsohost::Outcome;
using qsohost::Request;
using qsohost::Response;
using std::chrono::milliseconds;

constexpr std::size_t kMostTasks = 100;
constexpr int kMostRefused =
    5;                          // answers 400 or 404 in a row, which archives send wrongly at times
constexpr int kMostErrors = 3;  // tasks of one object
constexpr int kMostUnequal = 8;    // results whose end is not known
constexpr int kMostMalformed = 8;  // results; more are no transient fault
// Results without a row: under load, archives send empty answers for whole ones.
constexpr int kEmptyResults = 5;
constexpr milliseconds kBeforeAskingAgain{1000};
// Looks at a task become rarer, each wait being this much longer than the one before.
constexpr double kSlower = 1.5;
constexpr milliseconds kLongestWait{60'000};
constexpr int kQuickLooks = 3;  // that may follow faster than kShortestWait
constexpr std::chrono::seconds kWorthSaying{10};

// What the archive says where it has no exposure of the position.
bool says_no_data(std::string_view error) {
  constexpr std::string_view words = "no data returned";
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return !std::ranges::search(error, words, same).empty();
}

std::string detail(const Result& result) {
  std::string out;
  for (const char band : kBands) {
    const auto n = std::ranges::count(result.epochs, band, &Epoch::band);
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", band, n);
  }
  for (const auto& [filter, n] : result.other) out += fmt::format(", {} {} (left out)", filter, n);
  return out;
}

}  // namespace

AtlasConversation::AtlasConversation(const Settings& settings, const qsohost::Batch& batch,
                                     std::span<const double> ras, std::span<const double> decs,
                                     qsohost::Counts& counts)
    : settings_(settings), batch_(batch), counts_(counts), targets_(batch.rows()) {
  for (std::size_t row = 0; row < targets_.size(); ++row) {
    targets_[row].ra = ras[row];
    targets_[row].dec = decs[row];
  }
}

AtlasConversation::Requests AtlasConversation::begin() {
  for (std::size_t row = 0; row < targets_.size(); ++row) {
    Target& target = targets_[row];
    if (std::isfinite(target.ra) && std::abs(target.dec) <= 90) {
      to_post_.push_back(row);
      rows_.emplace(comment(row), row);
    } else {
      target.end =
          Ending{Outcome::BadObject, fmt::format("the target's position ({}, {}) is none on the "
                                                 "sky; correct it in the catalogue (degrees, ICRS)",
                                                 target.ra, target.dec)};
    }
  }
  if (to_post_.empty()) return {};
  return {list(settings_.url + "/queue/", false)};
}

std::string AtlasConversation::task_url(std::int64_t task) const {
  return fmt::format("{}/queue/{}/", settings_.url, task);
}

std::string AtlasConversation::result_url(const std::string& given) const {
  if (given.starts_with("http://") || given.starts_with("https://")) return given;
  return (given.starts_with('/') ? origin(settings_.url) : settings_.url + "/") + given;
}

Request AtlasConversation::request(std::size_t row, Step step, std::string url) const {
  Request request;
  request.url = std::move(url);
  // A result may be elsewhere; the token stays here.
  if (request.url.starts_with(origin(settings_.url) + "/")) request.headers = {settings_.header};
  if (step != Step::Result) request.headers.emplace_back("Accept: application/json");
  request.about = "source " + batch_.id(row);
  request.tag = row * kSteps + static_cast<std::uint64_t>(step);
  request.accept = {400, 401, 404, 429};
  return request;
}

Request AtlasConversation::post(std::size_t row) {
  Target& target = targets_[row];
  const double turned = std::fmod(target.ra, 360.0);
  Request post = request(row, Step::Post, settings_.url + "/queue/");
  post.method = "POST";
  post.content_type = "application/x-www-form-urlencoded";
  post.body = fmt::format("ra={:.7f}&dec={:.7f}&{}&comment={}", turned < 0 ? turned + 360 : turned,
                          target.dec, settings_.parameters, qsohost::escape(comment(row)));
  post.turn = target.turn++;
  return post;
}

Request AtlasConversation::look(std::size_t row, milliseconds delay) {
  Request look = request(row, Step::Look, task_url(targets_[row].task));
  look.turn = targets_[row].turn++;
  look.delay = delay;
  return look;
}

Request AtlasConversation::again(const Request& request, milliseconds delay) {
  Request again = request;
  again.turn = targets_[request.tag / kSteps].turn++;
  again.delay = delay;
  return again;
}

// The next POST or DELETE, unless one is under way.
AtlasConversation::Requests AtlasConversation::next_write() {
  if (is_writing_) return {};
  Requests next;
  if (!to_delete_.empty()) {
    next.push_back(std::move(to_delete_.front()));
    to_delete_.pop_front();
  } else if (!to_post_.empty() && tasks_ < kMostTasks) {
    next.push_back(post(to_post_.front()));
    to_post_.pop_front();
  } else if (to_post_.empty() && tasks_ == 0 && !std::exchange(is_at_end_, true)) {
    pages_ = others_ = list_faults_ = 0;
    return {list(settings_.url + "/queue/", true)};
  } else {
    return {};
  }
  is_writing_ = true;
  const auto wait = std::chrono::ceil<milliseconds>(not_before_ - Clock::now());
  next.back().delay = std::max(milliseconds(0), wait);
  return next;
}

AtlasConversation::Requests AtlasConversation::answer(const Request& request,
                                                      const Response& response) {
  const std::size_t row = request.tag / kSteps;
  const auto step = static_cast<Step>(request.tag % kSteps);
  if (response.status == 401) {
    throw qsohost::RunError(fmt::format(
        "{} does not know the token ({}). To get that of your account: curl --data "
        "'username=NAME&password=PASSWORD' {}/api-token-auth/ ; where the stage takes it from says "
        "its option 'token'; go on with --resume",
        origin(settings_.url), in_short(response), settings_.url));
  }
  if (response.status == 429) return throttled(request, response);
  if (step == Step::List) return listed(request, response);
  if (step == Step::Delete) {
    counts_.add("tasks", response.status == 404 ? "gone before deleted" : "deleted");
    is_writing_ = false;
    return next_write();
  }
  if (response.status >= 400) return refused(request, response);
  if (step == Step::Post) return posted(row, parse_task(response).id, response.is_kept);
  return step == Step::Look ? looked(row, request, response) : received(row, request, response);
}

// To the second: nothing is posted until then.
AtlasConversation::Requests AtlasConversation::throttled(const Request& request,
                                                         const Response& response) {
  const std::chrono::seconds wait = named_wait(response);
  const bool is_list = request.tag % kSteps == static_cast<std::uint64_t>(Step::List);
  counts_.add("archive", "asked to wait");
  if (!response.is_kept) {
    not_before_ = std::max(not_before_, Clock::now() + wait);
    if (wait >= kWorthSaying) {
      settings_.info(fmt::format("the archive asks to wait {} s", wait.count()));
    }
  }
  if (!is_list) return {again(request, wait)};
  if (++list_faults_ >= kMostListFaults) return listed(request, response);
  Request later = request;
  later.delay = wait;
  return {std::move(later)};
}

AtlasConversation::Requests AtlasConversation::refused(const Request& request,
                                                       const Response& response) {
  const std::size_t row = request.tag / kSteps;
  Target& target = targets_[row];
  if (!response.is_kept) ++target.refused;
  if (target.refused < kMostRefused) return {again(request, kBeforeAskingAgain)};
  const bool is_post = request.tag % kSteps == static_cast<std::uint64_t>(Step::Post);
  if (is_post) return failed(request, in_short(response));
  if (response.status == 404) return anew(row);
  return leave(row, in_short(response));
}

void AtlasConversation::remove(std::size_t row, std::int64_t task) {
  Request remove = request(row, Step::Delete, task_url(task));
  remove.method = "DELETE";
  to_delete_.push_back(std::move(remove));
}

// The first look at a task; `is_old`: an earlier run may just have looked at it.
Request AtlasConversation::known(std::size_t row, std::int64_t task, bool is_old) {
  Target& target = targets_[row];
  target.task = task;
  target.since = Clock::now();
  target.looks = target.refused = target.malformed = target.empty = 0;
  target.seen.clear();
  ++tasks_;
  return look(row, is_old ? std::max(settings_.poll, kShortestWait) : settings_.poll);
}

AtlasConversation::Requests AtlasConversation::posted(std::size_t row, std::int64_t task,
                                                      bool is_kept) {
  counts_.add("tasks", "posted");
  is_writing_ = false;
  Request first_look = known(row, task, is_kept);
  Requests requests = next_write();
  requests.push_back(std::move(first_look));
  return requests;
}

// Until the next look. After answers of an earlier run the task is likely to be finished.
milliseconds AtlasConversation::pace(const Target& target, const Response& response) const {
  if (response.is_kept) return std::max(settings_.poll, kShortestWait);
  const double longest = static_cast<double>(std::max(settings_.poll, kLongestWait).count());
  const double wait = static_cast<double>(settings_.poll.count()) * std::pow(kSlower, target.looks);
  const milliseconds rarer(static_cast<std::int64_t>(std::min(wait, longest)));
  return target.looks < kQuickLooks ? rarer : std::max(rarer, kShortestWait);
}

AtlasConversation::Requests AtlasConversation::looked(std::size_t row, const Request& request,
                                                      const Response& response) {
  const Task task = parse_task(response);
  Target& target = targets_[row];
  if (!task.error.empty()) return task_failed(row, task.error, response.is_kept);
  if (!task.is_finished) return unfinished(row, response);
  if (task.result_url.empty()) return refused(request, response);
  target.refused = 0;
  Request get = this->request(row, Step::Result, result_url(task.result_url));
  get.turn = target.turn++;
  return {std::move(get)};
}

AtlasConversation::Requests AtlasConversation::unfinished(std::size_t row,
                                                          const Response& response) {
  Target& target = targets_[row];
  if (Clock::now() - target.since > settings_.task_timeout) {
    return leave(row, fmt::format("task {} was not finished after {} s; --retry-failed looks again",
                                  target.task, settings_.task_timeout.count()));
  }
  target.refused = 0;
  ++target.looks;
  return {look(row, pace(target, response))};
}

AtlasConversation::Requests AtlasConversation::task_failed(std::size_t row,
                                                           const std::string& error, bool is_kept) {
  if (says_no_data(error)) return settle(row, {Outcome::NotFound, error});
  Target& target = targets_[row];
  counts_.add("tasks", "with an error");
  if (!is_kept) ++target.errors;
  if (target.errors < kMostErrors) return anew(row);
  return settle(
      row, {Outcome::Failed, fmt::format("{} tasks failed; the last: {}", target.errors, error)});
}

AtlasConversation::Requests AtlasConversation::received(std::size_t row, const Request& request,
                                                        const Response& response) {
  Target& target = targets_[row];
  atlas::Result result;
  try {
    result = parse_result(response.body);
  } catch (const qsohost::TryAgain& e) {
    if (++target.malformed < kMostMalformed) throw;
    return leave(row, e.what());
  }
  if (!response.is_end_known && !is_repeated(target, response)) {
    if (target.seen.size() < kMostUnequal) return {again(request, milliseconds(0))};
    return leave(row, fmt::format("the archive does not say where its answers end, and of {} no "
                                  "two were equal",
                                  target.seen.size()));
  }
  if (result.epochs.empty() && result.other.empty()) {
    if (++target.empty < kEmptyResults) return {again(request, kBeforeAskingAgain)};
    return settle(row, {Outcome::NotFound, "the task's result has no rows"});
  }
  target.result = std::move(result);
  return settle(row, {Outcome::Matched});
}

bool AtlasConversation::is_repeated(Target& target, const Response& response) const {
  const std::uint64_t hash = std::hash<std::string>()(response.body);
  const bool is_known = std::ranges::find(target.seen, hash) != target.seen.end();
  target.seen.push_back(hash);
  return is_known;
}

// The task has been read: it can be deleted.
AtlasConversation::Requests AtlasConversation::settle(std::size_t row, Ending end) {
  Target& target = targets_[row];
  target.end = std::move(end);
  --tasks_;
  remove(row, target.task);
  return next_write();
}

// The task has ended without a result, or the server has none of this number: another is posted.
AtlasConversation::Requests AtlasConversation::anew(std::size_t row) {
  to_post_.push_back(row);
  Requests requests = settle(row, {});
  targets_[row].end.reset();
  return requests;
}

// The task stays in the queue; --retry-failed asks for it again.
AtlasConversation::Requests AtlasConversation::leave(std::size_t row, const std::string& reason) {
  targets_[row].end = Ending{Outcome::Failed, reason};
  counts_.add("tasks", "left in the queue");
  --tasks_;
  return next_write();
}

AtlasConversation::Requests AtlasConversation::failed(const Request& request,
                                                      const std::string& reason) {
  const std::size_t row = request.tag / kSteps;
  const auto step = static_cast<Step>(request.tag % kSteps);
  if (step == Step::List) return next_write();
  if (step == Step::Look || step == Step::Result) return leave(row, reason);
  if (step == Step::Post) targets_[row].end = Ending{Outcome::Failed, reason};
  if (step == Step::Delete) counts_.add("tasks", "left in the queue");
  is_writing_ = false;
  return next_write();
}

std::size_t AtlasConversation::unsettled() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(targets_, [](const Target& target) { return !target.end; }));
}

void AtlasConversation::finish(qsohost::Batch& batch, qsohost::Outcomes& outcomes) {
  outcomes.end_each(batch, [&](const qsohost::Object& object) {
    Target& target = targets_[object.row()];
    if (target.end->outcome == Outcome::Matched) {
      append(target.result.epochs, batch);
      outcomes.set_detail(object.row(), detail(target.result));
      for (const auto& [filter, n] : target.result.other) {
        counts_.add("rows of other filters", filter, n);
      }
      target.result = {};
    }
    return *target.end;
  });
}

}  // namespace atlas
