#include "http/archive.hpp"

#include <catch2/catch.hpp>

#include "http/conversation_runner.hpp"

using namespace qsohost;
using namespace std::chrono_literals;
using Catch::Contains;
using std::chrono::seconds;

namespace {

// A host, and a clock that is set by hand.
struct Fixture {
  std::vector<std::string> log;
  Archive host{"h", [this](LogLevel, const std::string& text) { log.push_back(text); }, 1};
  Archive::Time now{std::chrono::hours(1)};
  std::uint64_t last_id = 0;

  void ask(int n, HttpPolicy policy = {}) {
    for (int i = 0; i < n; ++i) {
      PendingRequest question;
      question.id = ++last_id;
      question.policy = policy;
      question.talk = std::make_shared<ReplyChannel>();
      host.ask(std::move(question), now, now);
    }
  }
  std::optional<PendingRequest> next() {
    return host.next(now, [](const ReplyChannel&) { return true; });
  }
  // The next question ends so. True if it will be asked again.
  bool fail(const Judgement& verdict) {
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
  const Judgement busy{Severity::Trouble, "HTTP 503", false, std::nullopt};
  const Judgement refused{Severity::Trouble, "connection refused", true, std::nullopt};
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
  const Judgement refusal{Severity::Refusal, "HTTP 400", false, std::nullopt};
  CHECK(fail(refusal));
  now += 10s;
  CHECK(fail(refusal));
  now += 10s;
  CHECK_FALSE(fail(refusal));
}

TEST_CASE_METHOD(Fixture, "a host that denies its first requests denies all") {
  ask(20);
  const PendingRequest denied;
  for (int k = 0; k < 7; ++k) CHECK_FALSE(host.denies_all(denied));
  PendingRequest again;
  again.refusals = 1;
  CHECK_FALSE(host.denies_all(again));  // counts once
  PendingRequest of_later_attempt;
  of_later_attempt.has_stored = true;
  CHECK_FALSE(host.denies_all(of_later_attempt));
  CHECK(host.denies_all(denied));
  succeed();
  CHECK_FALSE(host.denies_all(denied));
}

TEST_CASE_METHOD(Fixture, "a host that denies the only request three times denies all") {
  ask(1);
  PendingRequest denied;
  for (const bool denies_all : {false, false, true}) {
    CHECK(host.denies_all(denied) == denies_all);
    ++denied.refusals;
  }
}

TEST_CASE_METHOD(Fixture, "Retry-After holds for the whole host") {
  ask(5);
  fail({Severity::Trouble, "HTTP 429", false, 60s});
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
  std::vector<PendingRequest> hopeless;
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

TEST_CASE_METHOD(Fixture, "a wait that is too long is cut, and told once with its moment") {
  for (const seconds wait : {1'900'000'000s, seconds(std::int64_t{1} << 62)}) {
    Fixture f;
    HttpPolicy policy;
    policy.patience = 300s;
    f.ask(5, policy);
    f.fail({Severity::Trouble, "HTTP 429", false, wait});
    f.now += 149s;
    CHECK_FALSE(f.next());
    f.now += 2s;
    f.fail({Severity::Trouble, "HTTP 429", false, wait});
    REQUIRE(f.log.size() == 1);
    CHECK_THAT(f.log[0], Contains("h asks to wait") && Contains("Retry-After") && Contains(" UTC"));
  }
  HttpPolicy patient;
  patient.patience = std::chrono::hours(100);
  ask(5, patient);
  fail({Severity::Trouble, "HTTP 429", false, 86400s});
  now += 301s;
  CHECK(next());
}

TEST_CASE_METHOD(Fixture,
                 "an answer that comes late does not keep a silent host from being given up") {
  HttpPolicy policy;
  policy.patience = 300s;
  ask(5, policy);
  auto late = next();
  fail({Severity::Trouble, "HTTP 429", false, 1'900'000'000s});
  host.released(*late, now);
  host.trusted(*late, now);
  int asked = 0;
  std::vector<PendingRequest> hopeless;
  for (int k = 0; k < 1000 && hopeless.empty(); ++k) {
    now += 1s;
    while (auto question = next()) {
      ++asked;
      host.released(*question, now);
      host.again(std::move(*question), {Severity::Trouble, "HTTP 429", false, 1'900'000'000s}, now);
    }
    hopeless = host.hopeless(now);
  }
  CHECK(asked > 0);
  CHECK(hopeless.size() == 4);
  CHECK_THAT(host.given_up(), Contains("no good answer from h for 300 s"));
}

TEST_CASE_METHOD(Fixture, "a question that waits for its own time is no silence of the host") {
  HttpPolicy policy;
  policy.patience = 60s;
  policy.timeout = 20s;
  PendingRequest question;
  question.policy = policy;
  question.talk = std::make_shared<ReplyChannel>();
  host.ask(std::move(question), now + 1000s, now);
  for (int k = 0; k < 1000; ++k) {
    REQUIRE(host.hopeless(now).empty());
    now += 1s;
  }
  succeed();
}

TEST_CASE_METHOD(Fixture, "a host that takes questions and answers none is given up too") {
  HttpPolicy policy;
  policy.patience = 60s;
  policy.timeout = 20s;
  ask(3, policy);
  REQUIRE(next());
  REQUIRE(next());
  now += 79s;
  CHECK(host.hopeless(now).empty());
  now += 2s;
  CHECK(host.hopeless(now).size() == 1);
}

TEST_CASE("a question that is dropped without an answer ends its talk") {
  const auto talk = std::make_shared<ReplyChannel>();
  {
    PendingRequest question;
    question.talk = talk;
    const PendingRequest moved = std::move(question);
    CHECK(talk->ended() == ReplyChannel::End::No);
  }
  CHECK(talk->ended() == ReplyChannel::End::Lost);
  CHECK_FALSE(talk->replies.pop());
}
