// A query to a TAP service by hand, and a service whose jobs are followed.
#pragma once

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <functional>
#include <set>

#include "qsohost/error.hpp"
#include "qsohost/io/text.hpp"
#include "qsohost/tap.hpp"

using namespace qsohost;  // NOLINT(google-build-using-namespace): for tests of this folder
using Catch::Contains;

inline const std::string kCsv =
    "source_id,ra\n1000000000000000001,150.25\n1000000000000000002,150.31\n";

inline std::string votable(const std::string& status, const std::string& after = {}) {
  return "<?xml version=\"1.0\"?>\n<VOTABLE version=\"1.4\"><RESOURCE type=\"results\">" + status +
         "<TABLE><FIELD name=\"n\" datatype=\"int\"/><DATA><TABLEDATA><TR><TD>1</TD></TR>"
         "</TABLEDATA></DATA></TABLE>" +
         after + "</RESOURCE></VOTABLE>\n";
}

inline TapQuery query_of(bool as_job) {
  TapQuery query;
  query.url = "http://archive/tap/";
  query.adql = "SELECT TOP 2 source_id, ra FROM gaiadr3.gaia_source WHERE ra > 150";
  query.format = "csv";
  query.about = "two sources";
  query.as_job = as_job;
  return query;
}

inline Response with(int status, std::string body = {}) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

// A service that answers by a function, and a host that asks three times and then gives up.
struct Exchange {
  std::function<Response(const Request&)> archive;
  std::vector<Request> requests;  // without repeats
  int sent = 0;                   // with repeats
  std::vector<std::string> rows;
  bool is_overflow = false;
  std::string failure;
  bool is_timed_out = false;

  void run(TapQuery query) {
    TapExchange tap(std::move(query), [this](const TapAnswer& answer) { read(answer); });
    std::optional<Request> next = tap.begin();
    while (next) {
      REQUIRE(requests.size() < 1000);
      requests.push_back(*next);
      next = ask(tap, *next);
    }
    failure = tap.failure();
    is_timed_out = tap.is_timed_out();
  }

  std::size_t count(const std::string& method, const std::string& end) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        requests, [&](const Request& r) { return r.method == method && r.url.ends_with(end); }));
  }

  // The stored response to the first creation of a job is not used by those after it, which are the
  // same request, so that theirs takes its place.
  bool creations_replace_the_first() const {
    return std::ranges::all_of(requests, [&](const Request& r) {
      const bool is_first = &r == &requests.front();
      return !r.url.ends_with("/async") || (r.fresh != is_first && r.turn == requests.front().turn);
    });
  }

 private:
  void read(const TapAnswer& answer) {
    std::vector<std::string> found;
    is_overflow = answer.is_overflow;
    if (!is_overflow || answer.body.starts_with("source_id")) {
      TableReader table(answer.body);
      for (TableRow row(table); row.next();) found.emplace_back(row.text(table.columns().front()));
    }
    rows = std::move(found);
  }

  std::optional<Request> ask(TapExchange& tap, const Request& request) {
    std::string reason;
    for (int attempt = 0; attempt < 3; ++attempt) {
      Response response = archive(request);
      ++sent;
      if (response.url.empty()) response.url = request.url;
      const bool is_accepted = std::ranges::count(request.accept, response.status) > 0;
      if (!is_accepted && (response.status < 200 || response.status > 299)) {
        reason = fmt::format("HTTP {}", response.status);
        continue;
      }
      try {
        return tap.answer(request, response);
      } catch (const TryAgain& e) {
        reason = e.what();
      }
    }
    return tap.failed(reason);
  }
};

// A service with jobs. The n-th job is at /tap/async/n.
struct Jobs {
  std::vector<std::string> phases{"QUEUED", "EXECUTING", "COMPLETED\n"};
  std::string result = kCsv;
  int jobs = 0;
  std::size_t polls = 0;

  Response operator()(const Request& request) {
    if (request.url.ends_with("/async")) {
      polls = 0;
      Response response = with(200, "<uws:job/>");
      response.url = fmt::format("{}/{}", request.url, ++jobs);
      return response;
    }
    if (request.method != "GET") return with(200);
    if (request.url.ends_with("/phase")) {
      return with(200, phases[std::min(polls++, phases.size() - 1)]);
    }
    if (request.url.ends_with("/results/result")) return with(200, result);
    return with(404);
  }
};
