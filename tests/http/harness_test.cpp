// The simple form of an HTTP fetcher, and answers canned by a test.
#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "qsohost/error.hpp"
#include "qsohost/testing.hpp"

using namespace qsohost;
using Catch::Contains;

namespace {

constexpr const char* kUrl = "\"http://archive.example/curve/{id}\"";

Response with(int status, std::string body = {}) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

bool is_about(const Request& request, const char* id) {
  return request.url.ends_with(std::string("/") + id);
}

}  // namespace

TEST_CASE("an object fetcher sends a request per object and sets its outcome") {
  Harness h("echo-survey", {{"url", kUrl}});
  h.targets({{1, 10, 20}, {2, 10, 20}, {3, 10, 20}, {4, 10, 20}});
  h.answers({{"/1", "mjd,mag\n58000.5,18\n58001.5,18.5\n"},
             {"/2", "mjd,mag\n"},
             {"/3", "mjd,mag\nno numbers\n"}});
  h.run();
  REQUIRE(h.outcomes().size() == 4);
  CHECK(h.outcomes()[0].outcome == Outcome::Matched);
  CHECK(h.outcomes()[0].epochs == 2);
  CHECK(h.outcomes()[1].outcome == Outcome::NotFound);
  CHECK(h.outcomes()[2].outcome == Outcome::BadObject);
  CHECK(h.outcomes()[3].outcome == Outcome::Failed);
  CHECK_THAT(h.outcomes()[3].reason, Contains("404"));
  const Group& group = h.batch().group("echo.g");
  CHECK(group.rows() == 4);
  CHECK(group.epochs() == 2);
  CHECK(group.at("mjd").values<double>()[1] == 58001.5);
}

TEST_CASE("an untrusted response is retried, and leaves no epochs behind") {
  Harness h("echo-survey", {{"url", kUrl}, {"max_attempts", "3"}});
  h.targets({{1, 10, 20}, {2, 10, 20}, {3, 10, 20}});
  int asked = 0;
  h.answers([&](const Request& request) {
    if (is_about(request, "2")) return with(200, "mjd,mag\n58000.5,18");  // always cut short
    switch (++asked) {
      case 1:
        return with(503);
      case 2:
        return with(0);
      default:
        return with(200, "mjd,mag\n58000.5,18\n");
    }
  });
  h.run();
  CHECK(h.outcomes()[0].outcome == Outcome::Matched);
  CHECK(h.outcomes()[1].outcome == Outcome::Failed);
  CHECK_THAT(h.outcomes()[1].reason, Contains("cut short"));
  CHECK(h.outcomes()[2].outcome == Outcome::Matched);
  CHECK(h.batch().group("echo.g").epochs() == 2);
  CHECK(h.requests().size() == 7);
}

TEST_CASE("an empty response counts once it was confirmed often enough") {
  Harness h("echo-survey", {{"url", kUrl}, {"confirmations", "2"}});
  h.targets({{1, 10, 20}, {2, 10, 20}});
  h.answers([&](const Request& request) {
    if (is_about(request, "1")) return with(200, "mjd,mag\n");
    return with(200, request.turn == 0 ? "mjd,mag\n" : "mjd,mag\n58000.5,18\n");
  });
  h.run();
  CHECK(h.outcomes()[0].outcome == Outcome::NotFound);
  CHECK(h.outcomes()[1].outcome == Outcome::Matched);
  CHECK(h.requests().size() == 4);
}

TEST_CASE("a response with an accepted status goes to the plugin") {
  Harness h("echo-survey", {{"url", kUrl}, {"accept", "[404]"}});
  h.targets({{1, 10, 20}, {2, 10, 20}});
  h.answers([&](const Request& request) {
    return is_about(request, "1") ? with(404, "no such object") : with(410, "gone");
  });
  h.run();
  CHECK(h.outcomes()[0].outcome == Outcome::NotFound);
  CHECK(h.outcomes()[1].outcome == Outcome::Failed);
  CHECK(h.requests().size() == 4);  // 410 three times
}

TEST_CASE("a denied object fails; where all are denied, or the token is wrong, the run ends") {
  Harness h("echo-survey", {{"url", kUrl}});
  h.targets({{1, 10, 20}, {2, 10, 20}});
  h.answers([&](const Request& request) {
    return is_about(request, "1") ? with(403, "proprietary") : with(200, "mjd,mag\n58000.5,18\n");
  });
  h.run();
  CHECK(h.outcomes()[0].outcome == Outcome::Failed);
  CHECK(h.outcomes()[1].outcome == Outcome::Matched);
  for (const int status : {401, 403}) {
    Harness all("echo-survey", {{"url", kUrl}});
    all.targets({{1, 10, 20}, {2, 10, 20}});
    all.answers([&](const Request&) { return with(status, "no"); });
    CHECK_THROWS_WITH(all.run(), Contains(fmt::format("refuses access (HTTP {}: no", status)));
  }
}

TEST_CASE("\"later\" cannot be accepted as an answer") {
  Harness h("echo-survey", {{"url", kUrl}, {"accept", "[503]"}});
  h.targets({{1, 10, 20}});
  h.answers([](const Request&) { return with(503); });
  CHECK_THROWS_WITH(h.run(), Contains("accepts status 503"));
}

TEST_CASE("a fetcher without HTTP says that the host did not connect it") {
  Harness h("echo-survey", {{"url", kUrl}});
  h.targets({{1, 10, 20}});
  CHECK_THROWS_WITH(h.run(), Contains("did not connect it"));
}
