// Finds out how many concurrent requests an archive sustains. Has no clock and no network: events
// are passed in, and it returns how many requests may be in flight.
//
// It climbs a hill: goodput (trusted answers per second) as a function of the level (concurrent
// requests). It moves to the next level only if that gains at least half of what it would gain at
// an archive with spare capacity; so it stops where requests only queue, and where they begin to
// fail. Only the comparison between levels counts: an archive that fails every third time at any
// level gets as many requests as one that never fails.
//
// A step up that did not pay is remembered, and tried again after twice as many answers each time.
//
// It starts at 2 and doubles after every round of answers up to 8, which archives are known to
// sustain, until the first answer that is bad, late, or slower than those before; from then on it
// moves step by step.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>

namespace qsohost::inline v1 {

class ConcurrencyLimit {
 public:
  using Seconds = std::chrono::duration<double>;  // since any fixed moment
  struct Sample {
    std::uint64_t era = 0;
    double took = 0;
  };

  // `most`: upper limit; 0: as many as the archive sustains.
  explicit ConcurrencyLimit(int most = 0);

  int level() const { return level_; }
  double typical() const { return typical_; }  // seconds of a good answer; 0: not known
  int highest() const { return highest_; }     // level tried so far
  void cap(int most);                          // only ever lowers the limit

  void begin(std::uint64_t id, Seconds now);
  Sample end(std::uint64_t id, Seconds now);  // of any request that was begun
  // The outcome of a request. Not called for outcomes that do not depend on the archive's load.
  void judge(const Sample& sample, bool is_good, Seconds now);
  // Too few requests to fill the level: what is measured now does not describe it.
  void starved();
  // The archive was down, and is back.
  void restart(Seconds now);

 private:
  // Sums over requests: answers g (0 or 1) and the time s that each took. g/s is the rate of one of
  // `level` concurrent requests.
  struct Score {
    double n = 0, g = 0, s = 0, gg = 0, gs = 0, ss = 0;
    void add(double good, double seconds);
    void add(const Score& other);
    void fade(double most);
    double rate() const { return s > 0 ? g / s : 0; }
    double variance() const;  // of rate()
  };
  // A change in answer time shows much earlier than a change in success rate.
  struct Scores {
    Score all;
    Score good;  // answers alone
    void add(const Scores& other);
    void fade(double most);
  };

  void learn_time(double took);
  double capped(double seconds) const;
  Scores with_overdue(Seconds now) const;
  void move_to(int level, Seconds now);
  void step_back(int to, Seconds now);
  void halve(Seconds now);
  void step_up_if_due(Seconds now);
  bool fails_more(const Score& score, double improbable) const;
  void evaluate_opening(bool is_good, Seconds now);
  void evaluate_step(Seconds now);
  void evaluate_hold(Seconds now);
  int next_level() const;
  void set_ceiling(int level);

  int most_;
  int level_;
  int highest_;
  std::uint64_t era_ = 0;  // one per stay at a level
  Seconds era_begin_{0};
  struct Open {
    std::uint64_t era;
    Seconds begin;
  };
  std::map<std::uint64_t, Open> open_;
  double typical_ = 0;  // median time of a good answer
  double slow_ = 0;     // only few good answers take longer

  std::map<int, Scores> scores_;  // by level
  Scores window_;                 // of this stay, not yet in scores_
  bool is_opening_ = true;
  double round_before_ = 0;  // while opening: seconds that an answer took at the level before
  int from_ = 0;             // while a step is tried: the level before it
  double answers_here_ = 0;  // since the last step was tried
  struct Ceiling {
    int level = 0;    // 0: none
    double wait = 0;  // answers until the next try
  };
  Ceiling ceiling_;
};

}  // namespace qsohost::inline v1
