// A queue as the server of ATLAS keeps one, without a network: tasks that are finished at the third
// look, and a result for each.
#pragma once

#include <fmt/format.h>

#include <qsohost/http.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

inline const std::string kHeader =
    "###MJD          m      dm   uJy   duJy F err chi/N     RA       Dec        x        y     maj "
    " "
    "min   phi  apfit mag5sig Sky   Obs\n";

// "59226.235875  16.177 ..." with these values, the others as in a good exposure.
inline std::string row(double mjd, double mag, int flux, char filter, int err = 0) {
  return fmt::format(
      "{:.6f}  {:.3f}  0.050  {}   15 {} {}   1.20 150.25113   2.20417  2179.59  9252.78 3.41 3.09 "
      "-51.0 -0.396 19.28 21.28 02a59228o0102c\n",
      mjd, mag, flux, filter, err);
}

inline qsohost::Response with(int status, std::string body) {
  return {.status = status, .url = {}, .headers = {}, .body = std::move(body)};
}

constexpr double kRa = 150.25113, kDec = 2.20417;  // of all tasks in its list

class Queue {
 public:
  struct Task {
    std::string comment{};
    int looks = 0;
    bool is_deleted = false;
  };
  std::map<int, Task> tasks;
  std::string result = kHeader + row(57300.5, 18.51, 144, 'o') + row(57301.5, -19.0, -91, 'o') +
                       row(57302.5, 18.92, 98, 'c');
  std::string error = "null";  // of every task, as JSON
  int looks = 2;               // before a task is finished

  qsohost::Response operator()(const qsohost::Request& request) {
    if (request.method == "POST") {
      const int id = 41 + static_cast<int>(tasks.size());
      const std::string name = "&comment=";
      tasks[id].comment = decoded(request.body.substr(request.body.find(name) + name.size()));
      return with(201, state(id));
    }
    if (request.url == "http://a/queue/") return with(200, list());
    const std::size_t slash = request.url.find_last_of('/', request.url.size() - 2);
    const int id = std::stoi(request.url.substr(slash + 1));
    const auto it = tasks.find(id);
    if (it == tasks.end() || it->second.is_deleted) return with(404, R"({"detail":"Not found."})");
    if (request.method == "DELETE") {
      it->second.is_deleted = true;
      return with(204, "");
    }
    if (request.url.find("/results/") != request.url.npos) return with(200, result);
    ++it->second.looks;
    return with(200, state(id));
  }

  std::size_t left() const {
    std::size_t n = 0;
    for (const auto& [id, task] : tasks) n += task.is_deleted ? 0 : 1;
    return n;
  }

 private:
  static std::string decoded(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      out += text[i] == '%' ? static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16))
                            : text[i];
      if (text[i] == '%') i += 2;
    }
    return out;
  }

  std::string list() const {
    std::string out;
    for (const auto& [id, task] : tasks) {
      if (task.is_deleted) continue;
      out += fmt::format(R"({}{{"id": {}, "comment": "{}", "ra": {}, "dec": {}}})",
                         out.empty() ? "" : ", ", id, task.comment, kRa, kDec);
    }
    return R"({"next": null, "results": [)" + out + "]}";
  }

  std::string state(int id) const {
    const bool is_finished = tasks.at(id).looks > looks;
    const bool has_result = is_finished && error == "null";
    return fmt::format(R"({{"url": "http://a/queue/{0}/", "id": {0}, "starttimestamp": null,)"
                       R"( "finishtimestamp": {1}, "result_url": {2}, "error_msg": {3}}})",
                       id, is_finished ? "\"2026-01-01T00:00:00Z\"" : "null",
                       has_result ? fmt::format("\"http://a/results/{}.txt\"", id) : "null",
                       is_finished ? error : "null");
  }
};
