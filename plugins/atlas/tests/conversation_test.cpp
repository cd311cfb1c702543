// The requests to the queue, and how its responses are handled; nothing is sent.
#include <catch2/catch.hpp>

#include <qsohost/testing.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "conversation.hpp"
#include "queue.hpp"

using namespace qsohost;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

struct Atlas : Harness {
  explicit Atlas(std::size_t objects = 1) : Harness("atlas", {{"url", "http://a/"}}) {
    std::vector<Target> all;
    for (std::size_t k = 0; k < objects; ++k) {
      all.push_back({static_cast<std::int64_t>(k) + 1, kRa, kDec});
    }
    targets(all);
  }

  std::size_t sent(std::string_view method) const {
    return static_cast<std::size_t>(
        std::ranges::count(requests(), method, [](const Request& r) { return r.method; }));
  }

 private:
  // Before the harness opens the stage.
  int token_ = setenv("ATLAS_TOKEN", "t0ken-of-mine", 1);
};

}  // namespace

TEST_CASE("a task is posted, looked at until it is finished, read and deleted") {
  Atlas h;
  Queue queue;
  h.answers(std::ref(queue));
  h.run();
  REQUIRE(h.outcomes()[0].outcome == Outcome::Matched);
  CHECK(h.outcomes()[0].detail == "c 1, o 2");
  REQUIRE(h.requests().size() == 8);  // the first and the last for the list of tasks
  const Request& post = h.requests()[1];
  CHECK(post.url == "http://a/queue/");
  CHECK(post.body ==
        "ra=150.2511300&dec=2.2041700&mjd_min=57200&use_reduced=true&send_email=false"
        "&comment=qsohost%20atlas%2C%20MJD%2057200%2C%20reduced%2C%20source%201");
  for (const Request& request : h.requests()) {
    CHECK(request.headers[0] == "Authorization: Token t0ken-of-mine");
    CHECK(request.keep == (request.url != "http://a/queue/" || request.method == "POST"));
  }
  CHECK(h.requests()[2].url == "http://a/queue/41/");
  CHECK(h.requests()[2].delay == std::chrono::seconds(10));
  CHECK(h.requests()[3].delay == std::chrono::seconds(15));
  CHECK(h.requests()[5].url == "http://a/results/41.txt");
  CHECK(h.requests()[6].method == "DELETE");
  CHECK(queue.left() == 0);

  const Group& orange = h.batch().group("atlas.o");
  REQUIRE(orange.epochs() == 2);
  CHECK(orange.at("mjd").values<double>()[0] == 57300.5);
  CHECK(orange.at("flux").values<float>()[1] == -91);
  CHECK(std::isnan(orange.at("mag").values<float>()[1]));
  const Group& cyan = h.batch().group("atlas.c");
  REQUIRE(cyan.epochs() == 1);
  CHECK(cyan.at("epoch_id").values<std::int64_t>()[0] == 2);
  CHECK(cyan.at("mag").values<float>()[0] == 18.92F);
}

TEST_CASE("where the archive has no exposure the object is not found, and its task deleted") {
  Atlas h;
  Queue queue;
  queue.error = "\"No data returned\"";
  h.answers(std::ref(queue));
  h.run();
  CHECK(h.outcomes()[0].outcome == Outcome::NotFound);
  CHECK(h.outcomes()[0].reason == "No data returned");
  CHECK(queue.left() == 0);
}

TEST_CASE("an empty result must come five times before it is believed") {
  Atlas h;
  Queue queue;
  const std::string whole = queue.result;
  int empty = GENERATE(4, 100);
  const bool is_found = empty < 5;
  h.answers([&](const Request& request) {
    if (request.url.find("results") != std::string::npos) {
      queue.result = empty-- > 0 ? kHeader : whole;
    }
    return queue(request);
  });
  h.run();
  CHECK(h.outcomes()[0].outcome == (is_found ? Outcome::Matched : Outcome::NotFound));
  CHECK(h.sent("GET") == 3 + 5 + 2);
  CHECK(queue.left() == 0);
}

TEST_CASE("an error that is a deeply nested list is an error like any other") {
  constexpr std::size_t depth = 500'000;
  Atlas h;
  Queue queue;
  queue.error = std::string(depth, '[') + std::string(depth, ']');
  h.answers(std::ref(queue));
  h.run();
  CHECK(h.outcomes()[0].outcome == Outcome::Failed);
  CHECK(h.outcomes()[0].reason == "3 tasks failed; the last: (array)");
}

TEST_CASE("a task that fails is posted again, three times in all") {
  Atlas h;
  Queue queue;
  queue.error = "\"the disk is full\"";
  h.answers([&](const Request& request) {
    if (queue.tasks.size() == 3) queue.error = "null";
    return queue(request);
  });
  h.run();
  CHECK(h.outcomes()[0].outcome == Outcome::Matched);
  CHECK(queue.tasks.size() == 3);
  CHECK(queue.left() == 0);

  Atlas hopeless;
  Queue broken;
  broken.error = "\"the disk is full\"";
  hopeless.answers(std::ref(broken));
  hopeless.run();
  CHECK(hopeless.outcomes()[0].outcome == Outcome::Failed);
  CHECK(hopeless.outcomes()[0].reason == "3 tasks failed; the last: the disk is full");
  CHECK(broken.tasks.size() == 3);
  CHECK(broken.left() == 0);
}

TEST_CASE("429 names the second of the next POST in one of two texts, or in Retry-After") {
  using namespace std::chrono;
  const auto named = [](std::string text, std::string header = {}) {
    Response response = with(429, R"({"detail":"Request was throttled. )" + text + "\"}");
    if (!header.empty()) response.headers = {{"Retry-After", header}};
    return atlas::named_wait(response);
  };
  CHECK(named("Expected available in 27 seconds.") == 27s);
  CHECK(named("Expected available in 1 second.") == 1s);
  CHECK(named("Expected available in 2 minutes.") == 2min);
  CHECK(named("Expected available in 1 minute(s).") == 1min);
  CHECK(named("Expected available in 27 seconds.", "30") == 30s);
  CHECK(named("", "7") == 7s);
  CHECK(named("") == 1min);
  CHECK(named("Expected available in -5 seconds.") == 1min);

  Atlas h(3);
  Queue queue;
  int times = 2;
  h.answers([&](const Request& request) {
    if (request.method == "POST" && queue.tasks.size() == 1 && times-- > 0) {
      return with(429,
                  "Expected available in " + std::string(times == 1 ? "27 seconds" : "2 minutes"));
    }
    return queue(request);
  });
  h.run();
  std::vector<std::pair<milliseconds, int>> posts;
  for (const Request& request : h.requests()) {
    if (request.method == "POST") posts.emplace_back(request.delay, request.turn);
  }
  REQUIRE(posts.size() == 5);
  CHECK(posts[2] == std::pair(milliseconds(27s), 1));
  CHECK(posts[3] == std::pair(milliseconds(2min), 2));
  // No time has passed here, so that all that follows is held as well.
  CHECK(posts[4].first > 119s);
  CHECK(h.count("archive", "asked to wait") == 2);
  CHECK(h.messages().size() == 2);
  CHECK_THAT(h.messages()[0], Contains("the archive asks to wait 27 s"));
  CHECK(queue.left() == 0);
}

TEST_CASE("one POST or DELETE at a time is under way, and a hundred tasks in the queue") {
  Atlas h(250);
  Queue queue;
  queue.looks = 300;
  std::size_t most = 0;
  h.answers([&](const Request& request) {
    const Response response = queue(request);
    most = std::max(most, queue.left());
    return response;
  });
  h.run();
  for (const auto& state : h.outcomes()) CHECK(state.outcome == Outcome::Matched);
  CHECK(h.sent("POST") == 250);
  CHECK(h.sent("DELETE") == 250);
  CHECK(most >= 100);
  CHECK(most <= 102);  // two of them read, and not deleted yet
}

TEST_CASE("looks become rarer, up to a minute, and never follow faster than half a second") {
  Queue queue;
  queue.looks = 30;
  const double poll = GENERATE(0.0, 0.1, 10.0);
  setenv("ATLAS_TOKEN", "t0ken-of-mine", 1);
  Harness h("atlas", {{"url", "http://a"}, {"poll", std::to_string(poll)}});
  h.targets({{1, 150.0, 2.0}});
  h.answers(std::ref(queue));
  h.run();
  std::vector<double> delays;
  for (const Request& request : h.requests()) {
    if (request.url == "http://a/queue/41/" && request.method == "GET") {
      delays.push_back(std::chrono::duration<double>(request.delay).count());
    }
  }
  REQUIRE(delays.size() == 31);
  CHECK(delays[0] == poll);
  CHECK(std::ranges::is_sorted(delays));
  for (std::size_t k = 4; k < delays.size(); ++k) CHECK(delays[k] >= 0.5);
  CHECK(delays.back() == (poll > 0 ? 60 : 0.5));
}

TEST_CASE("a wrong token ends the run and says how to get one") {
  Atlas h(2);
  h.answers([](const Request&) { return with(401, R"({"detail": "Invalid token."})"); });
  CHECK_THROWS_WITH(h.run(), Contains("does not know the token") && Contains("Invalid token.") &&
                                 Contains("http://a/api-token-auth/"));
  CHECK(h.requests().size() == 1);
}

TEST_CASE("a task that the server has forgotten is posted anew, but not for one wrong 404") {
  Atlas h;
  Queue queue;
  int wrong = GENERATE(1, 5);
  const std::size_t tasks = wrong < 5 ? 1 : 2;
  h.answers([&](const Request& request) {
    if (request.url == "http://a/queue/41/" && request.method == "GET" && wrong-- > 0) {
      return with(404, R"({"detail":"Not found."})");
    }
    return queue(request);
  });
  h.run();
  CHECK(h.outcomes()[0].outcome == Outcome::Matched);
  CHECK(queue.tasks.size() == tasks);
  CHECK(queue.left() == 0);
}

TEST_CASE("a position that is none, or that the server refuses, is that object's alone") {
  setenv("ATLAS_TOKEN", "t0ken-of-mine", 1);
  Harness h("atlas", {{"url", "http://a"}});
  h.targets({{1, std::nan(""), 2}, {2, -10, 2.5}, {3, 10, -89}});
  Queue queue;
  h.answers([&](const Request& request) {
    if (request.body.find("dec=-89") != std::string::npos) {
      return with(400, R"({"dec":["the survey does not go there"]})");
    }
    return queue(request);
  });
  h.run();
  CHECK(h.outcomes()[0].outcome == Outcome::BadObject);
  CHECK(h.outcomes()[1].outcome == Outcome::Matched);
  CHECK(h.outcomes()[2].outcome == Outcome::Failed);
  CHECK_THAT(h.outcomes()[2].reason, Contains("HTTP 400") && Contains("does not go there"));
  CHECK_THAT(h.requests()[1].body, StartsWith("ra=350.0000000&"));
  CHECK(queue.left() == 0);
}

TEST_CASE("answers that are no tasks and no results are asked for again") {
  Atlas h;
  Queue queue;
  int n = 0;
  h.answers([&](const Request& request) {
    const Response good = queue(request);
    if (request.method == "DELETE") return good;
    switch (++n % 4) {
      case 1:
        return with(200, "<html>Service unavailable</html>");
      case 2:
        return with(0, "");
      case 3:
        return with(200, good.body.substr(0, good.body.size() / 2));
      default:
        return good;
    }
  });
  h.run();
  CHECK(h.outcomes()[0].outcome == Outcome::Matched);
  CHECK(h.batch().group("atlas.o").epochs() == 2);
}

TEST_CASE("a result that cannot be read fails its object") {
  Atlas h;
  Queue queue;
  queue.result = kHeader + "57300.5 what\n";
  h.answers(std::ref(queue));
  h.run();
  CHECK(h.outcomes()[0].outcome == Outcome::Failed);
  CHECK_THAT(h.outcomes()[0].reason, Contains("line 2 of the result has 2 cells"));
  CHECK(h.sent("GET") == 3 + 8 + 2);
}

TEST_CASE("a result whose end the archive does not announce must come twice") {
  Atlas h;
  Queue queue;
  const std::string whole = queue.result;
  int n = 0;
  h.answers([&](const Request& request) {
    Response response = queue(request);
    if (request.url.find("results") == std::string::npos) return response;
    response.is_end_known = false;  // the first ends after a row
    if (++n == 1) response.body = kHeader + row(57300.5, 18.51, 144, 'o');
    return response;
  });
  h.run();
  CHECK(n == 3);
  CHECK(h.batch().group("atlas.o").epochs() == 2);
  CHECK(h.batch().group("atlas.c").epochs() == 1);
}

TEST_CASE("the token goes to the service alone") {
  Atlas h;
  Queue queue;
  h.answers([&](const Request& request) {
    Response response = queue(request);
    if (const auto at = response.body.find("http://a/results"); at != std::string::npos) {
      response.body.replace(at, 8, "http://a.elsewhere");
    }
    return response;
  });
  h.run();
  CHECK(h.outcomes()[0].outcome == Outcome::Matched);
  for (const Request& request : h.requests()) {
    if (request.url.starts_with("http://a.elsewhere")) CHECK(request.headers.empty());
  }
}

TEST_CASE("a task whose POST was not answered is found in the list, and is not posted again") {
  Queue queue;
  Atlas killed;
  killed.answers([&](const Request& request) {
    const Response response = queue(request);
    if (request.method == "POST") throw RunError("killed");
    return response;
  });
  CHECK_THROWS(killed.run());
  REQUIRE(queue.left() == 1);
  Atlas h(2);
  h.answers(std::ref(queue));
  h.run();
  for (const auto& state : h.outcomes()) CHECK(state.outcome == Outcome::Matched);
  CHECK(queue.tasks.size() == 2);
  CHECK(h.sent("POST") == 1);
  CHECK(queue.left() == 0);
}

TEST_CASE("a task that was posted twice, for its answer was lost, is deleted twice") {
  Atlas h(3);
  Queue queue;
  bool is_lost = true;
  h.answers([&](const Request& request) {
    const Response response = queue(request);
    const bool is_post = request.method == "POST";
    return is_post && std::exchange(is_lost, false) ? with(0, "") : response;
  });
  h.run();
  for (const auto& state : h.outcomes()) CHECK(state.outcome == Outcome::Matched);
  CHECK(queue.tasks.size() == 4);
  CHECK(queue.left() == 0);
}

TEST_CASE("a server without a list of tasks, and tasks of others in it") {
  Atlas h;
  Queue queue;
  const int status = GENERATE(200, 404, 405, 429, 500);
  h.answers([&](const Request& request) {
    if (request.url != "http://a/queue/" || request.method == "POST") return queue(request);
    if (status != 200) return with(status, "<html>no</html>");
    return with(200, R"({"results": [{"id": 7, "comment": "mine", "ra": 150.25113, "dec": 2.20417},
                                     {"id": 8, "comment": null}, 9]})");
  });
  h.run();
  CHECK(h.outcomes()[0].outcome == Outcome::Matched);
  CHECK(h.sent("POST") == 1);
  CHECK(h.sent("DELETE") == 1);
}
