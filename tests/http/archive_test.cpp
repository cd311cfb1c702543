#include "http/archive.hpp"

#include <catch2/catch.hpp>

#include "../support/folder.hpp"
#include "http/conversation_runner.hpp"

using namespace qsohost;
using namespace std::chrono_literals;
using Catch::Contains;
using std::chrono::seconds;

namespace {

// An archive, and a clock that is set by hand.
struct Fixture {
  std::vector<std::string> log;
  Archive archive{"h", [this](LogLevel, const std::string& text) { log.push_back(text); }, 1};
  Archive::Time now{std::chrono::hours(1)};
  std::uint64_t last_id = 0;

  void ask(int n, HttpPolicy policy = {}) {
    for (int i = 0; i < n; ++i) {
      PendingRequest pending;
      pending.id = ++last_id;
      pending.policy = policy;
      pending.channel = std::make_shared<ReplyChannel>();
      archive.ask(std::move(pending), now, now);
    }
  }
  std::optional<PendingRequest> next() {
    return archive.next(now, [](const ReplyChannel&) { return true; });
  }
  // The next request ends so. True if there will be a retry.
  bool fail(const Judgement& verdict) {
    auto pending = next();
    REQUIRE(pending);
    archive.released(*pending, now);
    return !archive.again(std::move(*pending), verdict, now);
  }
  void succeed() {
    auto pending = next();
    REQUIRE(pending);
    now += 1s;
    archive.released(*pending, now);
    archive.trusted(*pending, now);
  }
  // Until something may be sent, a second at a time.
  int wait() {
    for (int seconds = 0;; ++seconds) {
      if (auto pending = next()) {
        archive.released(*pending, now);
        archive.again(std::move(*pending), busy, now);
        return seconds;
      }
      if (seconds > 1000) return seconds;
      now += 1s;
    }
  }
  const Judgement busy{Severity::Problem, "HTTP 503", false, std::nullopt};
  const Judgement refused{Severity::Problem, "connection refused", true, std::nullopt};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "an archive gets two requests at first") {
  ask(5);
  CHECK(next());
  CHECK(next());
  CHECK_FALSE(next());
}

TEST_CASE_METHOD(Fixture, "a request is retried later, and not for ever") {
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

TEST_CASE_METHOD(Fixture, "a refused request is retried a few times only") {
  ask(1);
  const Judgement refusal{Severity::Refusal, "HTTP 400", false, std::nullopt};
  CHECK(fail(refusal));
  now += 10s;
  CHECK(fail(refusal));
  now += 10s;
  CHECK_FALSE(fail(refusal));
}

TEST_CASE_METHOD(Fixture, "an archive that denies its first requests denies all") {
  ask(20);
  const PendingRequest denied;
  for (int k = 0; k < 7; ++k) CHECK_FALSE(archive.denies_all(denied));
  PendingRequest again;
  again.refusals = 1;
  CHECK_FALSE(archive.denies_all(again));  // counts once
  PendingRequest of_later_attempt;
  of_later_attempt.has_stored = true;
  CHECK_FALSE(archive.denies_all(of_later_attempt));
  CHECK(archive.denies_all(denied));
  succeed();
  CHECK_FALSE(archive.denies_all(denied));
}

TEST_CASE_METHOD(Fixture, "an archive that denies its only request three times denies all") {
  ask(1);
  PendingRequest denied;
  for (const bool denies_all : {false, false, true}) {
    CHECK(archive.denies_all(denied) == denies_all);
    ++denied.refusals;
  }
}

TEST_CASE_METHOD(Fixture, "Retry-After holds for all requests to an archive") {
  ask(5);
  fail({Severity::Problem, "HTTP 429", false, 60s});
  CHECK_FALSE(next());
  now += 59s;
  CHECK_FALSE(next());
  CHECK(archive.is_waiting(now));
  now += 2s;
  CHECK(next());
}

TEST_CASE_METHOD(Fixture, "a request waits without end while other runs use all connections") {
  const Folder folder;
  ConnectionLease other(folder.path, "h");
  other.cap(3);
  REQUIRE(other.cover(3, now));
  archive.share(std::make_unique<ConnectionLease>(folder.path, "h"));
  HttpPolicy policy;
  policy.max_connections = 3;
  policy.patience = 300s;
  ask(5, policy);
  for (int i = 0; i < 1000; ++i, now += 1s) {
    REQUIRE_FALSE(next());
    REQUIRE(archive.hopeless(now).empty());
  }
  other.keep(2, now);
  now += 2s;
  auto pending = next();
  REQUIRE(pending);
  now += 2s;
  CHECK_FALSE(next());
  SECTION("and those that have one go on") {
    archive.released(*pending, now);
    archive.trusted(*pending, now);
    CHECK(next());
  }
  SECTION("and what is not used is free for others") {
    archive.released(*pending, now);
    archive.trusted(*pending, now);
    archive.leave_unused(now);
    CHECK(other.cover(3, now + 2s));
  }
  SECTION("a request that the archive may still work on keeps its connection") {
    archive.released(*pending, now, true);
    archive.dropped(*pending);
    archive.leave_unused(now);
    CHECK_FALSE(other.cover(3, now + 2s));
    archive.leave_unused(now + policy.timeout);
    CHECK(other.cover(3, now + policy.timeout));
  }
}

TEST_CASE_METHOD(Fixture, "Retry-After of one run holds for those that share its connections") {
  const Folder folder;
  archive.share(std::make_unique<ConnectionLease>(folder.path, "h"));
  ask(1);
  fail({Severity::Problem, "HTTP 429", false, 60s});
  Fixture second;
  second.archive.share(std::make_unique<ConnectionLease>(folder.path, "h"));
  second.ask(1);
  CHECK_FALSE(second.next());
  CHECK(second.archive.is_waiting(second.now));
  REQUIRE(second.log.size() == 1);
  CHECK_THAT(second.log[0], Contains("h has asked another run to wait"));
  second.now += 55s;
  CHECK_FALSE(second.next());
}

TEST_CASE_METHOD(Fixture, "an archive that is gone is probed at growing intervals, then given up") {
  HttpPolicy policy;
  policy.patience = 300s;
  ask(10, policy);
  succeed();
  for (int i = 0; i < 3; ++i) fail(refused);
  CHECK(archive.is_waiting(now));
  REQUIRE(log.size() == 1);
  CHECK_THAT(log[0], Catch::Contains("connection refused"));
  int probes = 0;
  std::vector<PendingRequest> hopeless;
  int longest = 0;
  while (hopeless.empty() && probes < 100) {
    longest = std::max(longest, wait());
    ++probes;
    hopeless = archive.hopeless(now);
  }
  CHECK(probes < 30);
  CHECK(longest >= 10);
  CHECK(longest <= 31);
  CHECK(hopeless.size() == 9);
  CHECK_THAT(archive.given_up(),
             Catch::Contains("no good answer from h for 3") && Catch::Contains("--retry-failed"));
  CHECK_FALSE(next());
}

TEST_CASE_METHOD(Fixture,
                 "an archive that comes back gets requests again, and the wait costs no attempts") {
  HttpPolicy policy;
  policy.max_attempts = 4;
  ask(4, policy);
  succeed();
  for (int i = 0; i < 3; ++i) fail(refused);
  for (int i = 0; i < 10; ++i) wait();
  now += 40s;
  succeed();
  CHECK_FALSE(archive.is_waiting(now));
  CHECK_THAT(log.back(), Catch::Contains("answers again"));
  now += 40s;
  succeed();
  succeed();
  CHECK(archive.hopeless(now).empty());
}

TEST_CASE_METHOD(Fixture,
                 "a Retry-After that is too long is limited, and logged once with its end") {
  for (const seconds wait : {1'900'000'000s, seconds(std::int64_t{1} << 62)}) {
    Fixture f;
    HttpPolicy policy;
    policy.patience = 300s;
    f.ask(5, policy);
    f.fail({Severity::Problem, "HTTP 429", false, wait});
    f.now += 149s;
    CHECK_FALSE(f.next());
    f.now += 2s;
    f.fail({Severity::Problem, "HTTP 429", false, wait});
    REQUIRE(f.log.size() == 1);
    CHECK_THAT(f.log[0], Contains("h asks to wait") && Contains("Retry-After") && Contains(" UTC"));
  }
  HttpPolicy patient;
  patient.patience = std::chrono::hours(100);
  ask(5, patient);
  fail({Severity::Problem, "HTTP 429", false, 86400s});
  now += 301s;
  CHECK(next());
}

TEST_CASE_METHOD(Fixture,
                 "an answer that comes late does not keep a silent host from being given up") {
  HttpPolicy policy;
  policy.patience = 300s;
  ask(5, policy);
  auto late = next();
  fail({Severity::Problem, "HTTP 429", false, 1'900'000'000s});
  archive.released(*late, now);
  archive.trusted(*late, now);
  int asked = 0;
  std::vector<PendingRequest> hopeless;
  for (int k = 0; k < 1000 && hopeless.empty(); ++k) {
    now += 1s;
    while (auto pending = next()) {
      ++asked;
      archive.released(*pending, now);
      archive.again(std::move(*pending), {Severity::Problem, "HTTP 429", false, 1'900'000'000s},
                    now);
    }
    hopeless = archive.hopeless(now);
  }
  CHECK(asked > 0);
  CHECK(hopeless.size() == 4);
  CHECK_THAT(archive.given_up(), Contains("no good answer from h for 300 s"));
}

TEST_CASE_METHOD(Fixture,
                 "a request whose start time is far ahead does not make the archive look silent") {
  HttpPolicy policy;
  policy.patience = 60s;
  policy.timeout = 20s;
  PendingRequest pending;
  pending.policy = policy;
  pending.channel = std::make_shared<ReplyChannel>();
  archive.ask(std::move(pending), now + 1000s, now);
  for (int k = 0; k < 1000; ++k) {
    REQUIRE(archive.hopeless(now).empty());
    now += 1s;
  }
  succeed();
}

TEST_CASE_METHOD(Fixture, "an archive that accepts requests and answers none is given up too") {
  HttpPolicy policy;
  policy.patience = 60s;
  policy.timeout = 20s;
  ask(3, policy);
  REQUIRE(next());
  REQUIRE(next());
  now += 79s;
  CHECK(archive.hopeless(now).empty());
  now += 2s;
  CHECK(archive.hopeless(now).size() == 1);
}

TEST_CASE("a request that is dropped without a response ends its channel") {
  const auto channel = std::make_shared<ReplyChannel>();
  {
    PendingRequest pending;
    pending.channel = channel;
    const PendingRequest moved = std::move(pending);
    CHECK(channel->ended() == ReplyChannel::End::No);
  }
  CHECK(channel->ended() == ReplyChannel::End::Lost);
  CHECK_FALSE(channel->replies.pop());
}
