// Archives as models, asked by a ConcurrencyLimit against a simulated clock.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <queue>
#include <random>
#include <vector>

#include "http/concurrency_limit.hpp"

struct ModelAnswer {
  double seconds = 0;
  bool is_good = true;
  double lingers = 0;  // seconds that the archive works on, after the client has given up
};

// What becomes of a request that is the `in_flight`-th at the archive at `now`.
using Archive = std::function<ModelAnswer(double now, int in_flight, std::mt19937_64& random)>;

inline bool chance(std::mt19937_64& random, double p) {
  return std::uniform_real_distribution<double>()(random) < p;
}

inline double spread(std::mt19937_64& random) {
  return std::exp(0.2 * std::normal_distribution<double>()(random));
}

// Full speed to 8 at a time; at 16 98 % fail, most of them by hanging. Load is forgotten in 30 s.
class ThrottledArchive {
 public:
  explicit ThrottledArchive(double faults = 0) : faults_(faults) {}
  ModelAnswer operator()(double now, int in_flight, std::mt19937_64& random) {
    const double left = past_load_ * std::exp(-(now - past_) / 30);
    const double load = std::max(left, static_cast<double>(in_flight));
    if (in_flight > 8) {
      past_load_ = load;
      past_ = now;
    }
    const double seconds = 8 * spread(random);
    if (chance(random, 0.98 * std::clamp((load - 8) / 8, 0.0, 1.0))) {
      return chance(random, 0.7) ? ModelAnswer{120, false, 30} : ModelAnswer{seconds, false};
    }
    if (chance(random, faults_)) return {chance(random, 0.15) ? 120 : seconds, false};
    return {seconds, true};
  }

 private:
  double faults_;
  double past_load_ = 0;
  double past_ = -1e9;
};

struct ModelRun {
  double answers_a_second = 0;  // trusted ones
  int highest = 0;              // level
  int last = 0;
  double mean_level = 0;
  std::vector<int> levels;  // at each answer
};

// Asks as many as the limit allows for so long. A `fixed` level ignores the limit.
inline ModelRun ask(Archive archive, double seconds, std::uint64_t seed, int fixed = 0,
                    int most = 0) {
  using qsohost::ConcurrencyLimit;
  struct Event {
    double at;
    std::uint64_t id;
    bool is_good;
    double lingers;
    bool operator<(const Event& other) const { return at > other.at; }
  };
  std::mt19937_64 random(seed);
  ConcurrencyLimit limit(most);
  std::priority_queue<Event> events;
  ModelRun run;
  double now = 0;
  constexpr std::uint64_t gone = ~std::uint64_t{0};
  std::uint64_t next = 0;
  std::uint64_t good = 0;
  int in_flight = 0;
  while (now < seconds) {
    while (in_flight < (fixed > 0 ? fixed : limit.level())) {
      limit.begin(next, ConcurrencyLimit::Seconds(now));
      const ModelAnswer answer = archive(now, ++in_flight, random);
      events.push({now + answer.seconds, next++, answer.is_good, answer.lingers});
    }
    const Event event = events.top();
    events.pop();
    now = event.at;
    if (event.id == gone) {
      --in_flight;
      continue;
    }
    if (event.lingers > 0) {
      events.push({now + event.lingers, gone, false, 0});
    } else {
      --in_flight;
    }
    const auto sample = limit.end(event.id, ConcurrencyLimit::Seconds(now));
    limit.judge(sample, event.is_good, ConcurrencyLimit::Seconds(now));
    if (event.is_good) ++good;
    run.levels.push_back(limit.level());
    run.mean_level += limit.level();
  }
  run.answers_a_second = static_cast<double>(good) / now;
  run.highest = limit.highest();
  run.last = limit.level();
  run.mean_level /= static_cast<double>(run.levels.size());
  return run;
}
