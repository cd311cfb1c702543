#include "archives/atlas.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string_view>

#include "atlas_curves.hpp"
#include "qsohost/error.hpp"
#include "qsohost/io/text.hpp"
#include "table_text.hpp"
#include "tap/uws.hpp"
#include "ztf_query.hpp"

namespace qsohost::skysim {

namespace {

constexpr const char* kAtlasPath = "/forcedphot";
constexpr int kFreeLooks = 4;            // at a task, before the time between them counts
constexpr double kUsualDays = 30;        // of a task without mjd_min
constexpr std::size_t kMostTasks = 100;  // of a POST
constexpr std::size_t kMostComment = 300;
constexpr std::size_t kPage = 100;  // tasks
constexpr double kWait = 27;        // seconds that a 429 names, in the real service's time
constexpr double kLongWait = 120;
constexpr double kQueued = 0.3;  // part of a task's time in the queue

std::string detail(std::string_view text) {
  return fmt::format("{{\"detail\": {}}}", json_text(text));
}

// What the service's framework says of a field.
[[noreturn]] void refuse_field(std::string_view field, std::string_view text) {
  throw BadRequest(fmt::format("{{{}: [{}]}}", json_text(field), json_text(text)));
}

std::optional<double> number_of(const TapRequest& request, const std::string& name) {
  const std::string& text = request.get(name);
  if (text.empty()) return std::nullopt;
  const auto number = parse_double(text);
  if (!number || !std::isfinite(*number)) refuse_field(name, "A valid number is required.");
  return number;
}

Position position_of(std::optional<double> ra, std::optional<double> dec) {
  if (!ra) refuse_field("ra", "This field is required.");
  if (!dec) refuse_field("dec", "This field is required.");
  if (!(*ra >= 0 && *ra < 360)) refuse_field("ra", "0 to 360 degrees are possible.");
  if (!(std::abs(*dec) <= 90)) refuse_field("dec", "-90 to 90 degrees are possible.");
  return {*ra, *dec};
}

std::vector<Position> positions_of(const TapRequest& request) {
  const std::string& list = request.get("radeclist");
  if (list.empty()) return {position_of(number_of(request, "ra"), number_of(request, "dec"))};
  std::vector<Position> positions;
  std::istringstream lines(list);
  for (std::string line; std::getline(lines, line);) {
    std::ranges::replace(line, ',', ' ');
    std::istringstream words(line);
    std::string ra;
    std::string dec;
    if (!(words >> ra)) continue;  // blank
    words >> dec;
    positions.push_back(position_of(parse_double(ra), parse_double(dec)));
  }
  if (positions.empty() || positions.size() > kMostTasks) {
    refuse_field("radeclist", fmt::format("1 to {} positions are possible.", kMostTasks));
  }
  return positions;
}

bool is_true(const std::string& word) {
  const std::string value = lower(word);
  return value == "true" || value == "1" || value == "on";
}

std::string text_or_null(const std::string& text) {
  return text.empty() ? "null" : json_text(text);
}

std::string waiting(std::int64_t n, std::string_view unit) {
  return fmt::format("{} {}{}", n, unit, n == 1 ? "" : "s");
}

std::uint64_t id_of(const httplib::Request& request) {
  return static_cast<std::uint64_t>(parse_int(request.matches[1].str()).value_or(0));
}

}  // namespace

AtlasService::AtlasService(const std::filesystem::path& folder, const Conditions& conditions)
    : conditions_(conditions), photometry_(folder / "atlas.fits") {
  for (const char* what : {"POSTs", "POSTs before the second that a 429 named",
                           "POSTs without mjd_min", "tasks", "deleted tasks"}) {
    log_.add(what, 0);
  }
}

void AtlasService::add_to(httplib::Server& server) {
  const std::string base = kAtlasPath;
  const std::string task = base + R"(/queue/(\d{1,18})/)";
  server.Post(base + "/api-token-auth/", [this](const Request& q, Response& r) { log_in(q, r); });
  server.Post(base + "/queue/",
              authorised([this](const Request& q, Response& r) { submit(q, r); }));
  server.Get(base + "/queue/", authorised([this](const Request& q, Response& r) { list(q, r); }));
  server.Get(task, authorised([this](const Request& q, Response& r) { show(q, r); }));
  server.Delete(task, authorised([this](const Request& q, Response& r) { remove(q, r); }));
  server.Get(base + R"(/static/results/job(\d{1,18})\.txt)",
             [this](const Request& q, Response& r) { result(q, r); });
}

httplib::Server::Handler AtlasService::authorised(httplib::Server::Handler handler) {
  return [this, handler = std::move(handler)](const Request& request, Response& response) {
    const ServiceLog::Visit visit(log_, request);
    const std::string given = request.get_header_value("Authorization");
    if (given == std::string("Token ") + kAtlasToken) return handler(request, response);
    response.set_header("WWW-Authenticate", "Token");
    refuse(
        response, 401,
        detail(given.empty() ? "Authentication credentials were not provided." : "Invalid token."));
  };
}

void AtlasService::refuse(Response& response, int status, const std::string& body) {
  log_.add(fmt::format("status {}", status));
  response.status = status;
  response.set_content(body, "application/json");
}

void AtlasService::log_in(const Request& request, Response& response) {
  const ServiceLog::Visit visit(log_, request);
  const TapRequest given = tap_request(request);
  if (given.get("username") != "skysim" || given.get("password") != "skysim") {
    return refuse(response, 400,
                  "{\"non_field_errors\": [\"Unable to log in with provided credentials.\"]}");
  }
  response.set_content(fmt::format("{{\"token\": \"{}\"}}", kAtlasToken), "application/json");
}

// `wait`: the words of a 429.
void AtlasService::throttle(Response& response, std::chrono::seconds seconds,
                            const std::string& wait) {
  posts_from_ = std::max(posts_from_, Clock::now() + seconds);
  refuse(response, 429, detail("Request was throttled. Expected available in " + wait + "."));
}

bool AtlasService::is_throttled(Response& response) {
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  if (now < posts_from_) {
    log_.add("POSTs before the second that a 429 named");
    const auto rest = std::chrono::ceil<std::chrono::seconds>(posts_from_ - now);
    throttle(response, std::chrono::seconds(0), waiting(rest.count(), "second"));
    return true;
  }
  const auto units = [this](double seconds, double unit) {
    return std::max<std::int64_t>(1, std::lround(seconds / conditions_.time_scale / unit));
  };
  if (conditions_.traps.springs("atlas-429")) {
    const std::int64_t n = units(kWait, 1);
    throttle(response, std::chrono::seconds(n), waiting(n, "second"));
    return true;
  }
  if (conditions_.traps.springs("atlas-429-minutes")) {
    const std::int64_t n = units(kLongWait, 60);
    throttle(response, std::chrono::minutes(n), waiting(n, "minute"));
    return true;
  }
  return false;
}

std::vector<std::uint64_t> AtlasService::add_tasks(const TapRequest& request) {
  const std::vector<Position> positions = positions_of(request);
  const auto first = number_of(request, "mjd_min");
  const auto last = number_of(request, "mjd_max");
  if (!first) log_.add("POSTs without mjd_min");
  Task task;
  task.request.first = first.value_or(kAtlasLast - kUsualDays);
  task.request.last = last.value_or(kAtlasLast + 1);
  task.request.is_reduced = is_true(request.get("use_reduced"));
  task.comment = request.get("comment");
  if (task.comment.size() > kMostComment) {
    refuse_field("comment", "Ensure this field has no more than 300 characters.");
  }
  task.created = Clock::now();
  std::vector<std::uint64_t> ids;
  const std::lock_guard lock(mutex_);
  for (const Position& position : positions) {
    task.request.position = position;
    task.is_stuck = conditions_.traps.springs("atlas-stuck");
    task.fails = conditions_.traps.springs("atlas-error");
    ids.push_back(next_++);
    tasks_[ids.back()] = task;
  }
  return ids;
}

// A POST that is refused leaves no task. One whose answer is lost does: its client has to look for
// it in the list.
void AtlasService::submit(const Request& request, Response& response) {
  log_.add("POSTs");
  if (is_throttled(response)) return;
  try {
    const TapRequest tap = tap_request(request);
    const std::vector<std::uint64_t> ids = add_tasks(tap);
    ArchiveAnswer answer{.body = "", .type = "application/json", .empty = ""};
    {
      const std::lock_guard lock(mutex_);
      for (const std::uint64_t id : ids) {
        answer.body += answer.body.empty() ? "" : ",\n";
        answer.body += document(id, tasks_.at(id), request.get_header_value("Host"));
      }
    }
    if (!tap.get("radeclist").empty()) answer.body = "[" + answer.body + "]";
    answer.empty = answer.body;
    response.status = 201;
    const Fault fault = give(answer, conditions_, log_, request, response);
    const std::lock_guard lock(mutex_);
    if (fault == Fault::TooMany) {
      const auto wait = parse_int(response.get_header_value("Retry-After"));
      posts_from_ = Clock::now() + std::chrono::seconds(wait.value_or(0));
    }
    if (response.status >= 400 || fault == Fault::QueryStatus) {
      for (const std::uint64_t id : ids) tasks_.erase(id);
    } else {
      log_.add("tasks", ids.size());
      log_.raise("most tasks of a POST", ids.size());
    }
  } catch (const BadRequest& error) {
    refuse(response, 400, error.what());
  }
}

// Part of the time that a task takes.
AtlasService::Clock::duration AtlasService::duration(double part) const {
  return std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(part * conditions_.job_seconds));
}

std::string AtlasService::document(std::uint64_t id, const Task& task,
                                   const std::string& host) const {
  const std::string base = "http://" + host + kAtlasPath;
  const AtlasRequest& asked = task.request;
  const auto begin = task.created + duration(kQueued);
  const bool has_begun = !task.is_stuck && Clock::now() >= begin;
  std::string error;
  std::string result;
  if (task.is_finished && task.fails) {
    error = "Forced photometry process failed";
  } else if (task.is_finished && task.result.empty()) {
    error = "No data returned";
  } else if (task.is_finished) {
    result = fmt::format("{}/static/results/job{}.txt", base, id);
  }
  return fmt::format(
      "{{\"url\": \"{}/queue/{}/\", \"id\": {}, \"user_id\": 1, \"timestamp\": \"{}\", "
      "\"mpc_name\": null, \"ra\": {}, \"dec\": {}, \"mjd_min\": {}, \"mjd_max\": {}, "
      "\"use_reduced\": {}, \"comment\": {}, \"send_email\": false, \"starttimestamp\": {}, "
      "\"finishtimestamp\": {}, \"error_msg\": {}, \"request_type\": \"FP\", \"result_url\": {}}}",
      base, id, id, uws_time(task.created), asked.position.ra, asked.position.dec, asked.first,
      asked.last, asked.is_reduced, text_or_null(task.comment),
      text_or_null(has_begun ? uws_time(begin) : ""),
      text_or_null(task.is_finished ? uws_time(task.created + duration(1)) : ""),
      text_or_null(error), text_or_null(result));
}

// What a client sees of a task.
std::string AtlasService::look(std::uint64_t id, Task& task, const std::string& host) {
  const auto now = Clock::now();
  if (!task.is_finished) {
    log_.add("looks at unfinished tasks");
    log_.raise("most looks at a task", static_cast<std::uint64_t>(++task.looks));
    if (task.looks > kFreeLooks) {
      const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(now - task.last_look);
      log_.lower_to("shortest wait between looks (ms)", static_cast<std::uint64_t>(wait.count()));
    }
    task.last_look = now;
    if (!task.is_stuck && now >= task.created + duration(1)) {
      task.is_finished = true;
      if (!task.fails) task.result = photometry_.result(task.request);
    }
  }
  return document(id, task, host);
}

void AtlasService::show(const Request& request, Response& response) {
  ArchiveAnswer answer{.body = "", .type = "application/json", .empty = ""};
  {
    const std::lock_guard lock(mutex_);
    const auto it = tasks_.find(id_of(request));
    if (it == tasks_.end()) return refuse(response, 404, detail("Not found."));
    answer.body = look(it->first, it->second, request.get_header_value("Host"));
  }
  answer.empty = answer.body;
  give(answer, conditions_, log_, request, response);
}

void AtlasService::list(const Request& request, Response& response) {
  const std::string host = request.get_header_value("Host");
  const auto cursor = parse_int(request.get_param_value("cursor"));
  ArchiveAnswer answer{.body = "", .type = "application/json", .empty = ""};
  {
    const std::lock_guard lock(mutex_);
    auto it = tasks_.lower_bound(
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, cursor.value_or(0))));
    for (std::size_t n = 0; n < kPage && it != tasks_.end(); ++n, ++it) {
      answer.body += (answer.body.empty() ? "" : ",\n") + look(it->first, it->second, host);
    }
    const std::string next = it == tasks_.end() ? ""
                                                : fmt::format("http://{}{}/queue/?cursor={}", host,
                                                              kAtlasPath, it->first);
    answer.body = fmt::format("{{\"next\": {}, \"previous\": null, \"results\": [{}]}}",
                              text_or_null(next), answer.body);
  }
  answer.empty = answer.body;
  give(answer, conditions_, log_, request, response);
}

void AtlasService::remove(const Request& request, Response& response) {
  const std::lock_guard lock(mutex_);
  if (tasks_.erase(id_of(request)) == 0) return refuse(response, 404, detail("Not found."));
  log_.add("deleted tasks");
  response.status = 204;
}

void AtlasService::result(const Request& request, Response& response) {
  const ServiceLog::Visit visit(log_, request);
  ArchiveAnswer answer{.body = "", .type = "text/plain", .empty = std::string(atlas_header())};
  {
    const std::lock_guard lock(mutex_);
    const auto it = tasks_.find(id_of(request));
    if (it != tasks_.end()) answer.body = it->second.result;
  }
  if (answer.body.empty()) return refuse(response, 404, detail("Not found."));
  answer.rows = static_cast<std::size_t>(std::ranges::count(answer.body, '\n')) - 1;
  give(answer, conditions_, log_, request, response);
}

std::string AtlasService::status() const {
  const std::lock_guard lock(mutex_);
  std::string out = log_.json();
  out.pop_back();
  return out + fmt::format(", \"tasks left\": {}}}", tasks_.size());
}

}  // namespace qsohost::skysim
