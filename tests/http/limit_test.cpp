#include <algorithm>
#include <catch2/catch.hpp>

#include "archive_model.hpp"

using namespace qsohost;

namespace {

Archive roomy(double faults) {
  return [=](double, int, std::mt19937_64& random) {
    return ModelAnswer{2 * spread(random), !chance(random, faults)};
  };
}

// Four answers a second, however many ask.
Archive constant_rate() {
  return [free = 0.0](double now, int, std::mt19937_64& random) mutable {
    free = std::max(free, now) + 0.25 * spread(random);
    return ModelAnswer{std::max(spread(random), free - now), true};
  };
}

// Refuses whatever is more than five.
Archive refusing(double faults) {
  return [=](double, int in_flight, std::mt19937_64& random) {
    if (in_flight > 5) return ModelAnswer{0.05, false};
    return ModelAnswer{3 * spread(random), !chance(random, faults)};
  };
}

// Good answers a second over those of the best fixed level, in the mean of some runs.
struct Against {
  double mean = 0;
  double worst = 1e9;
  int highest = 0;
};

Against against_fixed(const std::function<Archive()>& make, double seconds) {
  double best = 0;
  for (const int level : {1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 24, 32, 64}) {
    best = std::max(best, ask(make(), 6000, 5, level).answers_a_second);
  }
  constexpr int runs = 6;
  Against out;
  for (int k = 0; k < runs; ++k) {
    const ModelRun run = ask(make(), seconds, 100 + static_cast<std::uint64_t>(k));
    out.mean += run.answers_a_second / best / runs;
    out.worst = std::min(out.worst, run.answers_a_second / best);
    out.highest = std::max(out.highest, run.highest);
  }
  return out;
}

}  // namespace

TEST_CASE(
    "an archive that collapses gets almost as many requests as it sustains, and never collapses") {
  const Against r = against_fixed([] { return Archive(ThrottledArchive()); }, 3600);
  INFO(r.mean << " " << r.worst << " " << r.highest);
  CHECK(r.mean > 0.9);
  CHECK(r.worst > 0.85);
  CHECK(r.highest < 12);
}

TEST_CASE("failures without relation to load do not reduce concurrency for long") {
  CHECK(against_fixed([] { return roomy(0); }, 3000).mean > 0.8);
  const Against r = against_fixed([] { return roomy(0.35); }, 20000);
  INFO(r.mean << " " << r.worst);
  CHECK(r.mean > 0.85);
  CHECK(r.worst > 0.7);
}

TEST_CASE("concurrency stays low where more of it only adds latency") {
  const Against r = against_fixed(constant_rate, 3000);
  INFO(r.mean << " " << r.highest);
  CHECK(r.mean > 0.9);
  CHECK(r.highest <= 10);
}

TEST_CASE("connection refusals set the highest concurrency") {
  const Against r = against_fixed([] { return refusing(0); }, 3000);
  INFO(r.mean << " " << r.highest);
  CHECK(r.mean > 0.9);
  CHECK(r.highest <= 8);  // as it opens
  CHECK(ask(refusing(0.35), 5000, 3).mean_level > 2.5);
}

TEST_CASE("concurrency follows an archive that gets slower and recovers") {
  // From 2000 to 4000 s it bears two at a time, else sixteen.
  const auto archive = [](double now, int in_flight, std::mt19937_64& random) {
    const int bears = now > 2000 && now < 4000 ? 2 : 16;
    return ModelAnswer{2 * spread(random), in_flight <= bears};
  };
  const ModelRun bad = ask(archive, 4000, 7);
  CHECK(bad.last <= 4);
  CHECK(ask(archive, 9000, 7).last > 6);
}

TEST_CASE("concurrency grows fast while nothing fails") {
  CHECK(ask(roomy(0), 12, 1).last == 8);
  CHECK(ask(constant_rate(), 12, 1).last <= 8);
  CHECK(ask(refusing(0), 30, 1).last <= 5);
}

TEST_CASE("concurrency keeps to its maximum, and falls to one when all requests fail") {
  const ModelRun capped = ask(roomy(0), 1000, 1, 0, 3);
  CHECK(capped.highest == 3);
  CHECK(capped.last == 3);
  const ModelRun failing = ask(roomy(1), 1000, 1);
  CHECK(failing.last == 1);
}
