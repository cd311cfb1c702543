// A climb to a maximum by Newton steps in a trust region, one evaluation at a time: the caller
// evaluates next() and passes the result to take().
#pragma once

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>

namespace ou {

template <class Vector, class Matrix>
class NewtonClimb {
 public:
  explicit NewtonClimb(Vector start) : next_(std::move(start)) {}

  const Vector& next() const { return next_; }
  // `curvature`: minus the second derivatives.
  void take(double value, const Vector& gradient, const Matrix& curvature) {
    const bool first = evaluations_++ == 0;
    const bool finite = std::isfinite(value) && gradient.allFinite() && curvature.allFinite();
    if (first && !finite) {
      done_ = true;
      return;
    }
    if (!first && !adapt(value, finite)) return step();
    best_ = next_;
    value_ = value;
    gradient_ = gradient;
    curvature_ = curvature;
    eigen_.compute(curvature);
    to_gain_ = predicted_gain();
    done_ = evaluations_ >= kMostEvaluations || radius_ < kLeastRadius;
    if (!done_) step();
  }

  // It can go no further, or `least` is not to be gained.
  bool is_done(double least) const { return done_ || to_gain_ < least; }
  const Vector& best() const { return best_; }
  double value() const { return value_; }
  const Matrix& curvature() const { return curvature_; }
  double to_gain() const { return to_gain_; }
  int evaluations() const { return evaluations_; }

 private:
  static constexpr double kLongestStep = 1, kLeastRadius = 1e-9, kFlat = 1e-4;
  static constexpr int kMostEvaluations = 200;

  // False: the step gained nothing, and is tried again, shorter.
  bool adapt(double value, bool finite) {
    const double length = (next_ - best_).norm();
    const double gained = finite ? value - value_ : -std::numeric_limits<double>::infinity();
    const double quality = gained / std::max(promised_, 1e-300);
    if (quality < 0.25) radius_ = length / 3;
    if (quality > 0.75 && length > 0.9 * radius_) radius_ = 2 * length;
    if (gained > 0) return true;
    const bool rounding = std::abs(gained) < 1e-12 * (1 + std::abs(value));
    done_ = rounding || evaluations_ >= kMostEvaluations || radius_ < kLeastRadius;
    if (rounding) to_gain_ = 0;
    return false;
  }

  double predicted_gain() const {
    const Vector along = eigen_.eigenvectors().transpose() * gradient_;
    return 0.5 * (along.array().square() / eigen_.eigenvalues().array().abs().max(kFlat)).sum();
  }

  void step() {
    if (done_) return;
    const Vector along = eigen_.eigenvectors().transpose() * gradient_;
    Vector s = along.array() / eigen_.eigenvalues().array().abs().max(kFlat);
    const double length = s.norm();
    if (length > radius_) s *= radius_ / length;
    promised_ = along.dot(s) - 0.5 * (eigen_.eigenvalues().array() * s.array().square()).sum();
    next_ = best_ + eigen_.eigenvectors() * s;
  }

  Vector next_, best_, gradient_;
  Matrix curvature_;
  Eigen::SelfAdjointEigenSolver<Matrix> eigen_;
  double value_ = -std::numeric_limits<double>::infinity();
  double to_gain_ = std::numeric_limits<double>::infinity();
  double promised_ = 0;
  double radius_ = kLongestStep;
  int evaluations_ = 0;
  bool done_ = false;
};

}  // namespace ou
