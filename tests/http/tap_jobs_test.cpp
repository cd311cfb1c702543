// Jobs of a TAP service: created, polled, read, deleted, and what can go wrong with them.
#include "tap_query.hpp"

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

TEST_CASE("a job on another host, or without TLS, is not asked about") {
  for (const char* location :
       {"http://other/uws/9", "https://other/uws/9", "http://archive:81/uws/9", "file:///x"}) {
    Exchange exchange;
    exchange.archive = [&](const Request& request) {
      Response response = with(201);
      response.url = request.url;
      response.headers = {{"Location", location}};
      return response;
    };
    exchange.run(query_of(true));
    INFO(location);
    for (const Request& request : exchange.requests)
      CHECK(request.url == "http://archive/tap/async");
    CHECK_FALSE(exchange.failure.empty());
  }
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
