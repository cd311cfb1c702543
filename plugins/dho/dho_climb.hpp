// Climbs on the log-likelihood, many at a time in SIMD lanes.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "dho_likelihood.hpp"

namespace dho {

using Matrix = Eigen::Matrix4d;

struct Box {
  Parameters low, high;
};

// Where a climb may go: the oscillator's parameters are origin + along u, with u inside the box.
// Coordinates with equal bounds stay where they are.
struct Space {
  Box box;
  Parameters origin = Parameters::Zero();
  Matrix along = Matrix::Identity();
  Trial trial(const Trial& u) const { return {origin + along * u.at, u.mean}; }
};

struct Start {
  const Space* space;
  Trial from;        // in the coordinates of the space
  double precision;  // ends where at most this can be gained in log-likelihood
};

// A climb by steps in a trust region. The curvature is that of the evaluations' information,
// corrected by the last short steps (BFGS).
class Climb {
 public:
  explicit Climb(const Start& start);

  Trial next() const { return start_.space->trial(next_); }
  void take(const Evaluation& value);

  const Space* space() const { return start_.space; }
  const Trial& best() const { return best_; }         // in the coordinates of the space
  const Evaluation& value() const { return value_; }  // there; derivatives by coordinates
  double to_gain() const { return promised_; }        // log-likelihood that a step promises
  int evaluations() const { return evaluations_; }
  bool is_done() const { return done_; }
  void give_up() { done_ = true; }

 private:
  struct Met {
    Parameters step = Parameters::Zero(), drop = Parameters::Zero();  // drop: of the gradient
  };
  void learn(const Evaluation& value);
  Matrix curvature() const;
  void step();

  Start start_;
  Trial next_, best_;
  Evaluation value_;
  std::array<Met, 2> met_;
  double radius_, promised_ = 0;
  int evaluations_ = 0;
  bool done_ = false;
};

// Runs climbs side by side until all are done, or all of one space. Gives up those that cannot
// become the highest of their space, and of two at one place the lower.
void run(const Series& series, Mean mean, std::vector<Climb>& climbs, const Space* until = nullptr);

// The highest of those in `space`; null if none has a finite likelihood.
const Climb* highest(const std::vector<Climb>& climbs, const Space* space);

}  // namespace dho
