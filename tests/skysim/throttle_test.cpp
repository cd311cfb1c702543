#include "throttle.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <deque>
#include <thread>

using namespace qsohost::skysim;

namespace {

constexpr double kFrozen = 1e-9;  // time scale: no load is forgotten while the test runs

// The fraction that gets an answer of 4,000 requests, each made while `others` are in flight.
double answered(Throttle& throttle, int others) {
  std::deque<Throttle::Request> held;
  for (int i = 0; i < others; ++i) held.emplace_back(throttle);
  int right = 0;
  for (int i = 0; i < 4000; ++i) {
    right += Throttle::Request(throttle).turn().verdict == Verdict::Answer ? 1 : 0;
  }
  return right / 4000.0;
}

}  // namespace

TEST_CASE("eight at a time are answered, sixteen are not") {
  Throttle throttle(true, kFrozen, 1);
  CHECK(answered(throttle, 1) == 1);
  CHECK(answered(throttle, 7) == 1);
  CHECK(throttle.most_in_flight() == 8);
  Throttle half(true, kFrozen, 1);
  CHECK(answered(half, 11) == Approx(1 - 0.98 / 2).margin(0.04));
  Throttle full(true, kFrozen, 1);
  CHECK(answered(full, 15) == Approx(0.02).margin(0.01));
  CHECK(answered(full, 0) == Approx(0.02).margin(0.01));  // not yet recovered
  CHECK(full.in_flight() == 0);
}

TEST_CASE("the throttle recovers when the load has gone") {
  Throttle throttle(true, 1e6, 1);  // thirty seconds are as many microseconds
  CHECK(answered(throttle, 15) < 0.1);
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  CHECK(answered(throttle, 7) == 1);
}

TEST_CASE("an answer takes eight seconds of the service's time, a time-out longer") {
  Throttle throttle(true, 1, 1);
  std::deque<Throttle::Request> held;
  for (int i = 0; i < 64; ++i) held.emplace_back(throttle);
  std::vector<double> answers;
  for (const Throttle::Request& request : held) {
    if (request.turn().verdict == Verdict::TimeOut) CHECK(request.turn().wait.count() == 150);
    if (request.turn().verdict == Verdict::Answer) answers.push_back(request.turn().wait.count());
  }
  REQUIRE(answers.size() >= 8);
  std::ranges::sort(answers);
  CHECK(answers[answers.size() / 2] == Approx(8).margin(2));
  Throttle off(false, 1, 1);
  CHECK(answered(off, 40) == 1);
  CHECK(Throttle::Request(off).turn().wait.count() == 0);
}
