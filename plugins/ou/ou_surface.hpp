// The log-likelihood as a surface over the whole space: the box of the parameters is mapped to it
// so that a maximum on a bound becomes an ordinary stationary point. D is the number of parameters:
// 2, ln sigma and ln tau, or 3, with jitter.
#pragma once

#include <Eigen/Core>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "ou_fit.hpp"

namespace ou {

template <int D>
using Vector = Eigen::Matrix<double, D, 1>;
template <int D>
using Matrix = Eigen::Matrix<double, D, D>;

// Values in descending order; column i of `vectors` belongs to value i.
template <int D>
struct Spectrum {
  Vector<D> values;
  Matrix<D> vectors;
};
Spectrum<2> decompose(const Matrix<2>& symmetric);
Spectrum<3> decompose(const Matrix<3>& symmetric);

// p = middle + half sin(u / half); at the middle dp = du.
class Interval {
 public:
  Interval() = default;
  Interval(double low, double high) : middle_((low + high) / 2), half_((high - low) / 2) {}
  double value(double u) const { return middle_ + half_ * std::sin(u / half_); }
  double slope(double u) const { return std::cos(u / half_); }
  double bend(double u) const { return -std::sin(u / half_) / half_; }
  // A start on a bound is moved inwards, because the slope there is 0.
  double inverse(double p) const;

 private:
  double middle_ = 0, half_ = 1;
};

// The parameters in which the likelihood is nearly quadratic: ln sigma, ln tau, and in place of the
// jitter, which may be 0, ln of the root of jitter^2 + (a typical error)^2.
template <int D>
class Coordinates {
 public:
  explicit Coordinates(const Series& series);
  Vector<D> of(const Parameters& p) const;
  Parameters parameters(const Vector<D>& x) const;
  Vector<D> gradient(const Vector<D>& x, const Evaluation& e) const;
  Matrix<D> information(const Vector<D>& x, const Evaluation& e) const;
  double by_jitter(double x) const;  // d x / d ln jitter

 private:
  double error2_;  // mag^2
};

template <int D>
struct Point {
  Vector<D> u = Vector<D>::Zero();
  Evaluation value;
  Vector<D> gradient = Vector<D>::Zero();   // of the log-likelihood
  Matrix<D> metric = Matrix<D>::Zero();     // estimate of minus its second derivatives
  Matrix<D> curvature = Matrix<D>::Zero();  // minus those in Coordinates, where computed
};

template <int D>
class Surface {
 public:
  Surface(const Series& series, const Box& box);
  Vector<D> inverse(const Parameters& p) const;
  Parameters parameters(const Vector<D>& u) const { return coordinates_.parameters(inside(u)); }
  Vector<D> inside(const Vector<D>& u) const;  // in Coordinates
  const Coordinates<D>& coordinates() const { return coordinates_; }
  // `curvature`: minus the second derivatives in Coordinates, or an estimate.
  Point<D> point(const Vector<D>& u, const Evaluation& value, const Matrix<D>& curvature) const;

 private:
  Coordinates<D> coordinates_;
  std::array<Interval, D> bounds_;
};

// The gain in log-likelihood that a Newton step predicts.
template <int D>
double to_gain(const Vector<D>& gradient, const Spectrum<D>& curvature);

// Starting point, and the epoch to omit.
struct Start {
  Parameters at;
  std::optional<std::size_t> omitted{};
  // A fit by fit_global() with nearly the same second derivatives (there, of all epochs).
  const Fit* like = nullptr;
};

template <int D>
struct Summit {
  Point<D> best;
  double to_gain = std::numeric_limits<double>::infinity();  // log-likelihood
  int evaluations = 0;
  bool converged = false;
};

// Climbs from all starts in lock-step, side by side in SIMD lanes, by Newton steps in a trust
// region; the curvature is that of Start::like, or Fisher's information, corrected by the last
// steps (BFGS). Stops where at most `precision`^2 / 2 can be gained.
template <int D>
std::vector<Summit<D>> climb_all(const Series& series, const Box& box, Mean mean,
                                 std::span<const Start> starts, double precision);

// Goes on from `at`, with the second derivatives in every step.
template <int D>
Summit<D> climb_to_top(const Series& series, const Box& box, Mean mean, const Start& start,
                       const Summit<D>& at, double precision);

// The highest of the maxima reached from all starts (at least one).
template <int D>
Summit<D> climb_to_highest(const Series& series, const Box& box, Mean mean,
                           std::span<const Start> starts, double precision);

// Minus the second derivatives in Coordinates, by differences of the gradient.
template <int D>
struct Curved {
  Evaluation value;
  Matrix<D> curvature;
};
template <int D>
Curved<D> with_curvature(const Series& series, const Coordinates<D>& coordinates, Mean mean,
                         const Start& at);

}  // namespace ou
