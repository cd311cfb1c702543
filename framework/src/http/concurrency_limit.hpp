// How many requests at a time an archive bears, found out while asking. No clock and no network in
// here: it is told what happens, and says how many requests may be on their way.
//
// It climbs a hill: goodput (trusted answers a second) as a function of the level (requests at a
// time). A level is left for the next one only if that pays at least half of what it would pay at
// an archive with room to spare; so it stops where requests only wait for one another, and where
// they begin to fail. Only a comparison between levels counts: an archive that fails every third
// time whatever one does is asked as fast as one that never fails.
//
// Where a step up did not pay is remembered, and tried again after twice as many answers each time.
//
// It opens with 2 and doubles after every round of answers up to 8, which archives are known to
// bear, until the first answer that is bad, late, or slower than those before: from there on, step
// by step.
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

  // `most`: never more than that; 0: as many as it bears.
  explicit ConcurrencyLimit(int most = 0);

  int level() const { return level_; }
  double typical() const { return typical_; }  // seconds of a good answer; 0: not known
  int highest() const { return highest_; }     // that was ever tried
  void cap(int most);                          // only ever lowers

  void begin(std::uint64_t id, Seconds now);
  Sample end(std::uint64_t id, Seconds now);  // of whatever was begun
  // What became of it. Not called for what says nothing of the archive's load.
  void judge(const Sample& sample, bool is_good, Seconds now);
  // There was nothing to ask while there was room: what is measured now is not this level.
  void starved();
  // It was gone, and has come back.
  void restart(Seconds now);

 private:
  // Sums over requests: answers g (0 or 1) and the time s that each took. g/s is what one of
  // `level` requests at a time gives.
  struct Score {
    double n = 0, g = 0, s = 0, gg = 0, gs = 0, ss = 0;
    void add(double good, double seconds);
    void add(const Score& other);
    void fade(double most);
    double rate() const { return s > 0 ? g / s : 0; }
    double variance() const;  // of rate()
  };
  // Whether answers are slower is known long before whether they are fewer.
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
  std::uint64_t era_ = 0;  // one for each stay at a level
  Seconds era_begin_{0};
  struct Open {
    std::uint64_t era;
    Seconds begin;
  };
  std::map<std::uint64_t, Open> open_;
  double typical_ = 0;  // median time of a good answer
  double slow_ = 0;     // few good answers take longer

  std::map<int, Scores> scores_;  // of levels
  Scores window_;                 // of this stay, not yet in scores_
  bool is_opening_ = true;
  double round_before_ = 0;  // while opening: seconds that an answer took at the level before
  int from_ = 0;             // while a step is tried: the level it was taken from
  double answers_here_ = 0;  // since the last step was tried
  struct Ceiling {
    int level = 0;    // 0: none
    double wait = 0;  // answers until it is tried again
  };
  Ceiling ceiling_;
};

}  // namespace qsohost::inline v1
