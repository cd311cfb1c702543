#include "server_words.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <qsohost/error.hpp>
#include <qsohost/io/text.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace atlas {

namespace {

using Json = nlohmann::json;
using qsohost::TryAgain;
using std::chrono::seconds;

// "" for null and for a name that is not there. Of a list or object only what it is: dump()
// recurses, as deep as the answer nests.
std::string text(const Json& json, const char* name) {
  const auto it = json.find(name);
  if (it == json.end() || it->is_null()) return {};
  if (it->is_structured()) return fmt::format("({})", it->type_name());
  return it->is_string() ? it->get<std::string>() : it->dump();
}

double number(const Json& json, const char* name) {
  const auto it = json.find(name);
  return it != json.end() && it->is_number() ? it->get<double>() : std::nan("");
}

// "27 seconds", "1 minute(s)"; none for other words.
std::optional<seconds> parse_wait(std::string_view words) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(words.data(), words.data() + words.size(), number);
  constexpr std::int64_t most = 366 * 86400;  // a year
  if (error != std::errc() || number < 0 || number > most) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(words.data() + words.size() - end));
  if (unit.starts_with(" second")) return seconds(number);
  if (unit.starts_with(" minute")) return std::chrono::minutes(number);
  if (unit.starts_with(" hour")) return std::chrono::hours(number);
  return std::nullopt;
}

}  // namespace

Task parse_task(const qsohost::Response& response) {
  const Json json = Json::parse(response.body, nullptr, false);
  if (!json.is_object() || !json.contains("id") || !json["id"].is_number_integer()) {
    throw TryAgain("the answer is no task of the queue: " + in_short(response));
  }
  Task task;
  task.id = json["id"].get<std::int64_t>();
  task.result_url = text(json, "result_url");
  task.error = text(json, "error_msg");
  task.is_finished = !text(json, "finishtimestamp").empty();
  return task;
}

TaskList parse_task_list(const qsohost::Response& response) {
  TaskList list;
  const Json json = Json::parse(response.body, nullptr, false);
  if (response.status >= 300 || !json.is_object() || !json.contains("results")) return list;
  list.is_one = true;
  for (const Json& task : json["results"]) {
    if (!task.is_object() || !task.contains("id") || !task["id"].is_number_integer()) continue;
    list.tasks.push_back({task["id"].get<std::int64_t>(), text(task, "comment"), number(task, "ra"),
                          number(task, "dec")});
  }
  list.next = text(json, "next");
  return list;
}

seconds named_wait(const qsohost::Response& response) {
  constexpr std::string_view before = "available in ";
  std::optional<seconds> wait;
  const std::string_view body = response.body;
  if (const std::size_t at = body.find(before); at != body.npos) {
    wait = parse_wait(body.substr(at + before.size()));
  }
  if (const auto header = qsohost::parse_int(response.header("Retry-After"))) {
    constexpr std::int64_t most = 366 * 86400;
    const seconds other(std::clamp<std::int64_t>(*header, 0, most));
    wait = wait ? std::max(*wait, other) : other;
  }
  return wait.value_or(std::chrono::minutes(1));
}

std::string origin(const std::string& url) {
  const std::size_t host = url.find("//");
  return host == url.npos ? url : url.substr(0, url.find('/', host + 2));
}

std::string in_short(const qsohost::Response& response) {
  std::string words = response.body.substr(0, 120);
  std::ranges::replace_if(
      words, [](unsigned char c) { return c < ' ' || c > '~'; }, ' ');
  return fmt::format("HTTP {}: {}", response.status, words);
}

}  // namespace atlas
