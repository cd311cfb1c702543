// The log-likelihood as a surface over the whole plane: the box of (ln sigma, ln tau) is mapped to
// it so that a maximum on a bound becomes an ordinary stationary point.
#pragma once

#include <array>

#include "ou_fit.hpp"

namespace ou {

using Vector = std::array<double, 2>;

inline double dot(const Vector& a, const Vector& b) {
  return a[0] * b[0] + a[1] * b[1];
}

struct Symmetric {
  double xx = 0, xy = 0, yy = 0;
  Vector operator*(const Vector& v) const { return {xx * v[0] + xy * v[1], xy * v[0] + yy * v[1]}; }
  void add(double scale, const Vector& v) {  // scale * v v'
    xx += scale * v[0] * v[0];
    xy += scale * v[0] * v[1];
    yy += scale * v[1] * v[1];
  }
};

struct Eigen2 {
  Vector values;
  std::array<Vector, 2> vectors;
};
Eigen2 decompose(const Symmetric& s);

// p = middle + half sin(u / half); at the middle dp = du.
class Interval {
 public:
  Interval(double low, double high) : middle_((low + high) / 2), half_((high - low) / 2) {}
  double value(double u) const;
  double slope(double u) const;
  double bend(double u) const;
  // A start on a bound is moved inwards, because the slope there is 0.
  double inverse(double p) const;

 private:
  double middle_, half_;
};

struct Point {
  Vector u{};
  Evaluation value;
  Vector gradient{};   // of the log-likelihood
  Symmetric metric{};  // estimate of minus its second derivatives
};

class Surface {
 public:
  explicit Surface(const Box& box)
      : sigma_(box.ln_sigma_min, box.ln_sigma_max), tau_(box.ln_tau_min, box.ln_tau_max) {}
  Vector inverse(const Parameters& p) const {
    return {sigma_.inverse(p.ln_sigma), tau_.inverse(p.ln_tau)};
  }
  Parameters parameters(const Vector& u) const { return {sigma_.value(u[0]), tau_.value(u[1])}; }
  Point point(const Vector& u, const Evaluation& value) const;

 private:
  Interval sigma_, tau_;
};

// The gain in log-likelihood that a Newton step predicts.
double to_gain(const Vector& gradient, const Symmetric& curvature);

// Starting point, and the epoch to omit.
struct Start {
  Parameters at;
  std::optional<std::size_t> omitted{};
};

struct Summit {
  Point best;
  Symmetric curvature;  // minus the second derivatives there, estimated along the way
  double to_gain = 0;   // log-likelihood still to be gained
  int evaluations = 0;
  bool converged = false;
};

// Climbs from all starts in lock-step, side by side in SIMD lanes, by Newton steps in a trust
// region; the curvature is Fisher's information corrected by the last steps (BFGS). Stops where at
// most `precision`^2 / 2 can be gained.
std::vector<Summit> climb_all(const Series& series, const Box& box, Mean mean,
                              std::span<const Start> starts, double precision);

}  // namespace ou
