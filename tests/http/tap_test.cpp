// A query to a TAP service: what is sent, and what is made of the forms in which services answer.
#include <fmt/format.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <functional>
#include <set>

#include "qsohost/error.hpp"
#include "qsohost/io/text.hpp"
#include "qsohost/tap.hpp"

using namespace qsohost;
using Catch::Contains;

namespace {

const std::string kCsv = "source_id,ra\n1000000000000000001,150.25\n1000000000000000002,150.31\n";

std::string votable(const std::string& status, const std::string& after = {}) {
  return "<?xml version=\"1.0\"?>\n<VOTABLE version=\"1.4\"><RESOURCE type=\"results\">" + status +
         "<TABLE><FIELD name=\"n\" datatype=\"int\"/><DATA><TABLEDATA><TR><TD>1</TD></TR>"
         "</TABLEDATA></DATA></TABLE>" +
         after + "</RESOURCE></VOTABLE>\n";
}

TapQuery query_of(bool as_job) {
  TapQuery query;
  query.url = "http://archive/tap/";
  query.adql = "SELECT TOP 2 source_id, ra FROM gaiadr3.gaia_source WHERE ra > 150";
  query.format = "csv";
  query.about = "two sources";
  query.as_job = as_job;
  return query;
}

Response with(int status, std::string body = {}) {
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

}  // namespace

TEST_CASE("a synchronous query is sent as a form") {
  Exchange exchange;
  exchange.archive = [](const Request&) { return with(200, kCsv); };
  TapQuery query = query_of(false);
  query.language = "ADQL-2.0";
  query.format_parameter = "RESPONSEFORMAT";
  query.max_rows = 2000;
  query.parameters = {{"jobname", "a b"}};
  query.headers = {"Authorization: Token abc"};
  exchange.run(query);
  CHECK(exchange.failure.empty());
  CHECK(exchange.rows == std::vector<std::string>{"1000000000000000001", "1000000000000000002"});
  CHECK_FALSE(exchange.is_overflow);
  REQUIRE(exchange.requests.size() == 1);
  const Request& request = exchange.requests[0];
  CHECK(request.method == "POST");
  CHECK(request.url == "http://archive/tap/sync");
  CHECK(request.content_type == "application/x-www-form-urlencoded");
  CHECK(request.body ==
        "REQUEST=doQuery&LANG=ADQL-2.0&RESPONSEFORMAT=csv&QUERY=SELECT%20TOP%202%20source_id%2C%20"
        "ra%20FROM%20gaiadr3.gaia_source%20WHERE%20ra%20%3E%20150&MAXREC=2000&jobname=a%20b");
  CHECK(request.headers == query.headers);
  CHECK(request.about == "two sources");
  CHECK(request.keep);
}

TEST_CASE("uploads are parts whose boundary occurs in none of them") {
  const std::vector<UploadColumn> columns{{"n", "int"}, {"ra", "double", "deg"}, {"who", "char"}};
  const std::vector<std::vector<std::string>> rows{{"4", "359.5", "a<b & \"c\""}};
  TapQuery query = query_of(true);
  query.uploads = {{"mine", to_votable(columns, rows)},
                   {"other", "qsohost-0f1e2d3c4b5a", "text/csv"}};
  Exchange exchange;
  exchange.archive = Jobs();
  exchange.run(query);
  const Request& request = exchange.requests[0];
  const std::string line = "multipart/form-data; boundary=qsohost-0f1e2d3c4b5a-0";
  CHECK(request.content_type == line);
  const std::string between = "--qsohost-0f1e2d3c4b5a-0\r\n";
  CHECK_THAT(request.body, Catch::StartsWith(between) && Contains("name=\"PHASE\"\r\n\r\nRUN\r\n"));
  CHECK_THAT(request.body,
             Contains("name=\"UPLOAD\"\r\n\r\nmine,param:mine;other,param:other\r\n"));
  CHECK_THAT(request.body, Contains("name=\"mine\"; filename=\"mine.xml\"\r\nContent-Type: "
                                    "application/x-votable+xml\r\n\r\n<?xml"));
  CHECK_THAT(request.body, Contains("<FIELD name=\"ra\" datatype=\"double\" unit=\"deg\"/>") &&
                               Contains("<FIELD name=\"who\" datatype=\"char\" arraysize=\"*\"/>"));
  CHECK_THAT(request.body, Contains("<TD>a&lt;b &amp; &quot;c&quot;</TD></TR>"));
  CHECK(request.body.ends_with("\r\n--qsohost-0f1e2d3c4b5a-0--\r\n"));
  CHECK(exchange.failure.empty());

  query.parameters_in_url = true;
  const Request in_url = TapExchange(query, [](const TapAnswer&) {}).begin();
  CHECK(in_url.url.starts_with("http://archive/tap/async?REQUEST=doQuery&LANG="));
  CHECK(in_url.url.ends_with("&PHASE=RUN&UPLOAD=mine%2Cparam%3Amine%3Bother%2Cparam%3Aother"));
  CHECK_THAT(in_url.body, Catch::StartsWith(between) && Contains("name=\"mine\"; filename=") &&
                              !Contains("QUERY"));

  TableReader table(query.uploads[0].content);
  std::vector<std::string_view> cells;
  REQUIRE(table.next(cells));
  CHECK(cells[2] == "a<b & \"c\"");
}

TEST_CASE("a job is created, polled less and less often, and read") {
  Exchange exchange;
  Jobs jobs;
  jobs.phases = std::vector<std::string>(20, "executing");
  jobs.phases.emplace_back("COMPLETED");
  exchange.archive = std::ref(jobs);
  exchange.run(query_of(true));
  CHECK(exchange.failure.empty());
  CHECK(exchange.rows.size() == 2);
  REQUIRE(exchange.requests.size() == 1 + 21 + 1);
  CHECK(exchange.requests[0].url == "http://archive/tap/async");
  CHECK(exchange.requests[1].url == "http://archive/tap/async/1/phase");
  CHECK(exchange.requests[1].delay.count() == 500);
  CHECK(exchange.requests[2].delay.count() == 750);
  CHECK(exchange.requests[2].turn == 1);
  CHECK(exchange.requests[21].delay.count() == 30000);
  CHECK_FALSE(exchange.requests[1].keep);
  CHECK(exchange.requests.back().url == "http://archive/tap/async/1/results/result");
  CHECK(exchange.requests.back().keep);
}

TEST_CASE("the job URL comes from a redirect, or a Location with or without a host") {
  for (const char* location : {"http://archive/uws/9", "/uws/9", "../uws/9?x=1"}) {
    Exchange exchange;
    Jobs jobs;
    exchange.archive = [&](const Request& request) {
      Response response = jobs(request);
      if (!request.url.ends_with("/async")) return response;
      response.status = 201;
      response.url = request.url;
      response.headers = {{"Location", location}};
      return response;
    };
    exchange.run(query_of(true));
    CHECK(exchange.requests[1].url == "http://archive/uws/9/phase");
    CHECK(exchange.failure.empty());
  }
  Exchange exchange;
  exchange.archive = [](const Request&) { return with(200); };
  exchange.run(query_of(true));
  CHECK_THAT(exchange.failure, Contains("did not say where it is"));
}

TEST_CASE("a job that stays PENDING is started once") {
  Exchange exchange;
  Jobs jobs;
  jobs.phases = {"PENDING", "PENDING", "EXECUTING", "COMPLETED"};
  exchange.archive = std::ref(jobs);
  exchange.run(query_of(true));
  CHECK(exchange.failure.empty());
  CHECK(exchange.count("POST", "/1/phase") == 1);
  CHECK(exchange.requests[2].body == "PHASE=RUN");
  CHECK_FALSE(exchange.requests[2].keep);
}

TEST_CASE(
    "a job that ends in an error is created anew twice, then the query fails with its message") {
  for (const char* words :
       {"<VOTABLE><RESOURCE><INFO name=\"QUERY_STATUS\" value=\"ERROR\"><![CDATA[pool\n empty]]>"
        "</INFO></RESOURCE></VOTABLE>",
        "<!DOCTYPE html><html><ul><li><b>Message: </b>pool empty</li></ul></html>",
        "pool empty\n"}) {
    Exchange exchange;
    Jobs jobs;
    jobs.phases = {"ERROR"};
    exchange.archive = [&](const Request& request) {
      return request.url.ends_with("/error") ? with(200, words) : jobs(request);
    };
    exchange.run(query_of(true));
    CHECK(exchange.failure ==
          "the job http://archive/tap/async/3 ended in phase ERROR: pool empty");
    CHECK(exchange.count("POST", "/async") == 3);
    CHECK(exchange.creations_replace_the_first());
    CHECK(exchange.rows.empty());
  }
  Exchange exchange;
  Jobs jobs;
  jobs.phases = {"ERROR"};  // and nothing at /error
  exchange.archive = std::ref(jobs);
  exchange.run(query_of(true));
  CHECK(exchange.failure == "the job http://archive/tap/async/3 ended in phase ERROR");
}

TEST_CASE("a new job that the service does not know is polled again, then created anew") {
  Exchange exchange;
  Jobs jobs;
  exchange.archive = [&](const Request& request) {
    return request.url.find("/async/1/") != std::string::npos ? with(404) : jobs(request);
  };
  exchange.run(query_of(true));
  CHECK(exchange.failure.empty());
  CHECK(exchange.rows.size() == 2);
  CHECK(exchange.count("POST", "/async") == 2);
  CHECK(exchange.sent == static_cast<int>(exchange.requests.size()) + 2);

  Exchange never;
  never.archive = [&](const Request& request) {
    return request.url.ends_with("/phase") ? with(404) : jobs(request);
  };
  never.run(query_of(true));
  CHECK_THAT(never.failure, Contains("HTTP 404"));
  CHECK(never.count("POST", "/async") == 3);
}

TEST_CASE("a job of an earlier attempt that the service has forgotten costs one request") {
  const std::string forgotten = GENERATE("/async/1/phase", "/async/1/results/result");
  Exchange exchange;
  Jobs jobs;
  exchange.archive = [&](const Request& request) {
    if (request.url.ends_with(forgotten)) return with(404);
    Response response = jobs(request);
    response.is_kept = request.url.ends_with("/async") && !request.fresh;
    return response;
  };
  exchange.run(query_of(true));
  CHECK(exchange.failure.empty());
  CHECK(exchange.rows.size() == 2);
  CHECK(exchange.sent == static_cast<int>(exchange.requests.size()));
  CHECK(exchange.count("POST", "/async") == 2);
  CHECK(exchange.creations_replace_the_first());
}

TEST_CASE("the stored result of an earlier job is used for that job only") {
  for (const bool is_kept : {false, true}) {
    Exchange exchange;
    Jobs jobs;
    exchange.archive = [&](const Request& request) {
      Response response = jobs(request);
      response.is_kept = is_kept;
      return response;
    };
    exchange.run(query_of(true));
    CHECK(exchange.requests.back().url.ends_with("/results/result"));
    CHECK(exchange.requests.back().fresh == !is_kept);
  }
}

TEST_CASE("a job that never ends is deleted") {
  Exchange exchange;
  Jobs jobs;
  jobs.phases = {"QUEUED"};
  exchange.archive = std::ref(jobs);
  TapQuery query = query_of(true);
  query.job_timeout = std::chrono::seconds(60);
  exchange.run(query);
  CHECK_THAT(exchange.failure, Contains("is QUEUED after"));
  CHECK(exchange.is_timed_out);
  CHECK(exchange.count("POST", "/async") == 1);
  CHECK(exchange.requests.back().method == "DELETE");
  CHECK(exchange.requests.back().url == "http://archive/tap/async/1");
}

TEST_CASE("a job is deleted once it is read, if that is wanted") {
  Exchange exchange;
  Jobs jobs;
  exchange.archive = [&](const Request& request) {
    return request.method == "DELETE" ? with(303) : jobs(request);
  };
  TapQuery query = query_of(true);
  query.deletes_job = true;
  exchange.run(query);
  CHECK(exchange.failure.empty());
  CHECK(exchange.rows.size() == 2);
  CHECK(exchange.count("DELETE", "/async/1") == 1);
}

TEST_CASE("a deleted job of an earlier attempt is not created again: its result is stored") {
  Exchange exchange;
  Jobs jobs;
  exchange.archive = [&](const Request& request) {
    Response response = jobs(request);
    response.is_kept = request.keep && !request.fresh;
    return response.is_kept ? response : with(404);
  };
  TapQuery query = query_of(true);
  query.deletes_job = true;
  exchange.run(query);
  CHECK(exchange.failure.empty());
  CHECK(exchange.rows.size() == 2);
  CHECK(exchange.requests.size() == 3);
  CHECK(exchange.count("DELETE", "/async/1") == 1);
}

TEST_CASE("a job of an earlier attempt that still runs is polled") {
  Exchange exchange;
  Jobs jobs;
  exchange.archive = [&](const Request& request) {
    const bool is_done = jobs.polls >= jobs.phases.size();
    if (request.url.ends_with("/results/result") && !is_done) return with(404);
    Response response = jobs(request);
    response.is_kept = request.url.ends_with("/async");
    return response;
  };
  TapQuery query = query_of(true);
  query.deletes_job = true;
  exchange.run(query);
  CHECK(exchange.failure.empty());
  CHECK(exchange.rows.size() == 2);
  CHECK(exchange.count("POST", "/async") == 1);
}

TEST_CASE("failed jobs are deleted, if that is wanted, and created again") {
  Exchange exchange;
  Jobs jobs;
  jobs.phases = {"ERROR"};
  exchange.archive = std::ref(jobs);
  TapQuery query = query_of(true);
  query.deletes_job = true;
  exchange.run(query);
  CHECK_THAT(exchange.failure, Contains("ended in phase ERROR"));
  CHECK(exchange.count("POST", "/async") == 3);
  for (const char* job : {"/async/1", "/async/2", "/async/3"}) {
    CHECK(exchange.count("DELETE", job) == 1);
  }
}

TEST_CASE("error documents are recognised by content, whatever the status") {
  const std::string error =
      "<INFO name=\"QUERY_STATUS\" value=\"ERROR\">1 unresolved identifiers: pos [l.1 c.104]"
      "</INFO><INFO name=\"HttpErrorCode\" value=\"400\"/>";
  const std::vector<std::pair<std::string, std::string>> answers{
      {"", "empty answer"},
      {" \n", "empty answer"},
      {"null", "answered null"},
      {"<html><body><h1>Planned maintenance</h1></body></html>", "Planned maintenance"},
      {"\n<!DOCTYPE HTML PUBLIC><html><li><b>Message: </b>Cannot parse query</li></html>",
       "Cannot parse query"},
      {"<?xml version='1.0'?><v:VOTABLE><v:RESOURCE><v:INFO value='ERROR' name='QUERY_STATUS'>"
       "DB quota exceeded</v:INFO></v:RESOURCE></v:VOTABLE>",
       "QUERY_STATUS ERROR: DB quota exceeded"},
      {"<VOTABLE><RESOURCE><INFO name=\"QUERY_STATUS\" value=\"ERROR\"/></RESOURCE></VOTABLE>",
       "no reason given"},
      {votable("<INFO name=\"QUERY_STATUS\" value=\"OK\"/>", error), "unresolved identifiers"}};
  for (const auto& [body, words] : answers) {
    INFO(body);
    Exchange exchange;
    exchange.archive = [&](const Request&) { return with(200, body); };
    exchange.run(query_of(false));
    CHECK_THAT(exchange.failure, Contains(words));
    CHECK(exchange.rows.empty());
  }
}

TEST_CASE("an error document is retried") {
  Exchange exchange;
  int times = 0;
  exchange.archive = [&](const Request&) {
    return ++times < 3
               ? with(200, votable("<INFO name=\"QUERY_STATUS\" value=\"ERROR\">busy</INFO>"))
               : with(200, kCsv);
  };
  exchange.run(query_of(false));
  CHECK(exchange.failure.empty());
  CHECK(exchange.rows.size() == 2);
}

TEST_CASE("missing rows are detected: a VOTable's OVERFLOW, a full page of CSV") {
  const auto overflow_of = [](const std::string& body, std::int64_t max_rows) {
    Exchange exchange;
    exchange.archive = [&](const Request&) { return with(200, body); };
    TapQuery query = query_of(false);
    query.max_rows = max_rows;
    exchange.run(query);
    CHECK(exchange.failure.empty());
    return exchange.is_overflow;
  };
  const std::string ok = "<INFO name=\"QUERY_STATUS\" value=\"OK\"/>";
  const std::string more = "<INFO name=\"QUERY_STATUS\" value=\"OVERFLOW\"/>";
  CHECK(overflow_of(votable(ok, more), 0));
  CHECK_FALSE(overflow_of(votable(ok), 0));
  CHECK_FALSE(overflow_of(votable(ok), 1));  // it would say so
  CHECK_FALSE(overflow_of(votable("<INFO name=\"QUERY\" value=\"QUERY_STATUS OVERFLOW\"/>"), 0));
  CHECK(overflow_of(kCsv, 2));
  CHECK_FALSE(overflow_of(kCsv, 3));
  CHECK_FALSE(overflow_of(kCsv, 0));
}

TEST_CASE("CSV whose end was not announced counts when two are equal; a VOTable does at once") {
  const auto ask = [](const std::vector<std::string>& bodies) {
    Exchange exchange;
    exchange.archive = [&, n = std::size_t{0}](const Request&) mutable {
      Response response = with(200, bodies.at(n++));
      response.is_end_known = false;
      return response;
    };
    exchange.run(query_of(false));
    std::set<int> turns;
    for (const Request& request : exchange.requests) turns.insert(request.turn);
    CHECK(turns.size() == exchange.requests.size());
    return exchange;
  };
  const std::string cut = kCsv.substr(0, kCsv.find('\n', 20) + 1);
  const Exchange csv = ask({cut, kCsv, kCsv});
  CHECK(csv.failure.empty());
  CHECK(csv.rows.size() == 2);
  CHECK(csv.requests.size() == 3);
  CHECK(ask({votable("<INFO name=\"QUERY_STATUS\" value=\"OK\"/>")}).requests.size() == 1);
  const Exchange never =
      ask({kCsv + "3,1\n", kCsv + "4,1\n", kCsv + "5,1\n", kCsv + "6,1\n", kCsv});
  CHECK_THAT(never.failure, Contains("no two were equal"));
}

TEST_CASE("a job whose rows are of no use is deleted too") {
  TapQuery query = query_of(true);
  query.deletes_job = true;
  TapExchange tap(query, [](const TapAnswer&) { throw BadObject("too many"); });
  Jobs jobs;
  std::vector<Request> requests{tap.begin()};
  while (true) {
    Response response = jobs(requests.back());
    if (response.url.empty()) response.url = requests.back().url;
    auto next = tap.answer(requests.back(), response);
    if (!next) break;
    requests.push_back(std::move(*next));
  }
  CHECK(tap.failure() == "too many");
  CHECK(requests.back().method == "DELETE");
}

TEST_CASE("a reader that throws BadObject ends the query") {
  TapExchange tap(query_of(false), [](const TapAnswer&) { throw BadObject("too many"); });
  const Request request = tap.begin();
  Response response = with(200, kCsv);
  response.url = request.url;
  CHECK_FALSE(tap.answer(request, response));
  CHECK(tap.failure() == "too many");
}
