#include <catch2/catch.hpp>
#include <cstdlib>
#include <qsohost/testing.hpp>

using namespace qsohost;

namespace {

constexpr const char* kResult =
    "###MJD m dm uJy duJy F err chi/N RA Dec\n"
    "57300.5 18.51 0.05 144 6 o 0 1.0 150.0 2.0\n"
    "57301.5 -19.0 0.50 -91 40 o 0 1.0 150.0 2.0\n"
    "57302.5 18.92 0.06 98 6 c 0 1.0 150.0 2.0\n";

Response with(int status, std::string body) {
  return {.status = status, .url = {}, .headers = {}, .body = std::move(body)};
}

// A server with one job, which is done at the third poll.
Response server(const Request& request) {
  if (request.method == "POST")
    return with(201, R"({"url": "http://a/queue/7/", "error_msg": null})");
  if (request.url == "http://a/result/7.txt") return with(200, kResult);
  if (request.turn < 2) {
    return with(200, R"({"url": "http://a/queue/7/", "finishtimestamp": null})");
  }
  return with(200, R"({"url": "http://a/queue/7/", "finishtimestamp": "2024-01-01T00:00:00Z",
                       "result_url": "http://a/result/7.txt"})");
}

}  // namespace

TEST_CASE("a job is queued, looked at until it is done, and its result read") {
  setenv("JOBS_TOKEN", "t0ken-of-mine", 1);
  Harness h("job-queue");
  h.targets({{1, 150.0, 2.0}});
  h.answers(server);
  h.run();
  REQUIRE(h.outcomes()[0].outcome == Outcome::Matched);
  REQUIRE(h.requests().size() == 5);
  for (const Request& request : h.requests()) {
    CHECK(request.headers[0] == "Authorization: Token t0ken-of-mine");
  }
  CHECK(h.requests()[0].body == "ra=150.000000&dec=2.000000&mjd_min=57200.000000&send_email=False");
  const Group& orange = h.batch().group("jobs.o");
  REQUIRE(orange.epochs() == 1);  // without that of negative flux
  CHECK(orange.at("mjd").values<double>()[0] == 57300.5);
  CHECK(h.batch().group("jobs.c").at("epoch_id").values<std::int64_t>()[0] == 2);
}

TEST_CASE("a job that the server has forgotten is queued anew") {
  setenv("JOBS_TOKEN", "t0ken-of-mine", 1);
  Harness h("job-queue");
  h.targets({{1, 150.0, 2.0}});
  bool is_forgotten = true;
  h.answers([&](const Request& request) {
    if (request.method == "GET" && std::exchange(is_forgotten, false)) {
      return with(404, R"({"detail": "Not found."})");
    }
    return server(request);
  });
  h.run();
  CHECK(h.outcomes()[0].outcome == Outcome::Matched);
  REQUIRE(h.requests().size() == 7);
  CHECK(h.requests()[2].method == "POST");
  CHECK(h.requests()[2].fresh);
}

TEST_CASE("a token that the server refuses ends the run") {
  setenv("JOBS_TOKEN", "t0ken-of-mine", 1);
  Harness h("job-queue");
  h.targets({{1, 150.0, 2.0}, {2, 150.5, 2.5}});
  h.answers([](const Request&) { return with(401, R"({"detail": "Invalid token."})"); });
  CHECK_THROWS_WITH(h.run(), Catch::Contains("refuses access") && Catch::Contains("Invalid token"));
  CHECK(h.requests().size() == 1);
}
