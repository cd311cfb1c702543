#include "http/remote_host.hpp"

#include <catch2/catch.hpp>

#include "http/dialogue.hpp"

using namespace qsohost;
using namespace std::chrono_literals;

namespace {

// A host, and a clock that is set by hand.
struct Fixture {
  std::vector<std::string> log;
  RemoteHost host{"h", [this](LogLevel, const std::string& text) { log.push_back(text); }, 1};
  RemoteHost::Time now{std::chrono::hours(1)};
  std::uint64_t last_id = 0;

  void ask(int n, HttpPolicy policy = {}) {
    for (int i = 0; i < n; ++i) {
      Question question;
      question.id = ++last_id;
      question.policy = policy;
      question.talk = std::make_shared<Talk>();
      host.ask(std::move(question), now, now);
    }
  }
  std::optional<Question> next() {
    return host.next(now, [](const Talk&) { return true; });
  }
  // The next question ends so. True if it will be asked again.
  bool fail(const Verdict& verdict) {
    auto question = next();
    REQUIRE(question);
    host.released(*question, now);
    return !host.again(std::move(*question), verdict, now);
  }
  void succeed() {
    auto question = next();
    REQUIRE(question);
    now += 1s;
    host.released(*question, now);
    host.trusted(*question, now);
  }
  // Until something may be sent, a second at a time.
  int wait() {
    for (int seconds = 0;; ++seconds) {
      if (auto question = next()) {
        host.released(*question, now);
        host.again(std::move(*question), busy, now);
        return seconds;
      }
      if (seconds > 1000) return seconds;
      now += 1s;
    }
  }
  const Verdict busy{Meaning::Trouble, "HTTP 503", false, std::nullopt};
  const Verdict refused{Meaning::Trouble, "connection refused", true, std::nullopt};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a host is asked two questions at first") {
  ask(5);
  CHECK(next());
  CHECK(next());
  CHECK_FALSE(next());
}

TEST_CASE_METHOD(Fixture, "a question is asked again later, and not for ever") {
  HttpPolicy policy;
  policy.max_attempts = 3;
  ask(1, policy);
  CHECK(fail(busy));
  CHECK_FALSE(next());  // not at once
  now += 10s;
  CHECK(fail(busy));
  now += 10s;
  CHECK_FALSE(fail(busy));
}

TEST_CASE_METHOD(Fixture, "a refusal is asked a few times only") {
  ask(1);
  const Verdict refusal{Meaning::Refusal, "HTTP 400", false, std::nullopt};
  CHECK(fail(refusal));
  now += 10s;
  CHECK(fail(refusal));
  now += 10s;
  CHECK_FALSE(fail(refusal));
}

TEST_CASE_METHOD(Fixture, "Retry-After holds for the whole host") {
  ask(5);
  fail({Meaning::Trouble, "HTTP 429", false, 60s});
  CHECK_FALSE(next());
  now += 59s;
  CHECK_FALSE(next());
  CHECK(host.is_waiting(now));
  now += 2s;
  CHECK(next());
}

TEST_CASE_METHOD(Fixture, "a host that is gone is asked once in a while, then given up") {
  HttpPolicy policy;
  policy.patience = 300s;
  ask(10, policy);
  succeed();
  for (int i = 0; i < 3; ++i) fail(refused);
  CHECK(host.is_waiting(now));
  REQUIRE(log.size() == 1);
  CHECK_THAT(log[0], Catch::Contains("connection refused"));
  int probes = 0;
  std::vector<Question> hopeless;
  int longest = 0;
  while (hopeless.empty() && probes < 100) {
    longest = std::max(longest, wait());
    ++probes;
    hopeless = host.hopeless(now);
  }
  CHECK(probes < 30);
  CHECK(longest >= 10);
  CHECK(longest <= 31);
  CHECK(hopeless.size() == 9);
  CHECK_THAT(host.given_up(),
             Catch::Contains("no good answer from h for 3") && Catch::Contains("--retry-failed"));
  CHECK_FALSE(next());
}

TEST_CASE_METHOD(Fixture, "a host that comes back is asked on, and the wait costs no attempts") {
  HttpPolicy policy;
  policy.max_attempts = 4;
  ask(4, policy);
  succeed();
  for (int i = 0; i < 3; ++i) fail(refused);
  for (int i = 0; i < 10; ++i) wait();
  now += 40s;
  succeed();
  CHECK_FALSE(host.is_waiting(now));
  CHECK_THAT(log.back(), Catch::Contains("answers again"));
  now += 40s;
  succeed();
  succeed();
  CHECK(host.hopeless(now).empty());
}
