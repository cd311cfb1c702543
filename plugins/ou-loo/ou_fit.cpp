#include "ou_fit.hpp"

#include <ceres/first_order_function.h>
#include <ceres/gradient_problem.h>
#include <ceres/gradient_problem_solver.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace ou {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kAtBound = 1e-4;      // in ln sigma or ln tau
constexpr double kSameLoglike = 1e-6;  // differences below are rounding or early stopping
constexpr double kLongestStep = 2;     // a first step changes ln sigma, ln tau by no more
constexpr double kFlat = 1e-6;         // curvature below this counts as none

// The box as all of the line: p = middle + half sin(u / half). At the middle dp = du; an optimum on
// a bound becomes an ordinary stationary point.
class Interval {
 public:
  Interval(double low, double high) : middle_((low + high) / 2), half_((high - low) / 2) {}
  double value(double u) const { return middle_ + half_ * std::sin(u / half_); }
  double slope(double u) const { return std::cos(u / half_); }
  double bend(double u) const { return -std::sin(u / half_) / half_; }
  // A start on a bound is moved inwards, as the slope there is 0.
  double inverse(double p) const {
    const double inside = std::clamp((p - middle_) / half_, -1 + kInset, 1 - kInset);
    return half_ * std::asin(inside);
  }

 private:
  static constexpr double kInset = 1e-4;
  double middle_, half_;
};

using Vector = std::array<double, 2>;
struct Symmetric {
  double xx, xy, yy;
};

struct Eigen2 {
  Vector values;
  std::array<Vector, 2> vectors;
};
Eigen2 decompose(const Symmetric& s) {
  const double middle = (s.xx + s.yy) / 2;
  const double radius = std::hypot((s.xx - s.yy) / 2, s.xy);
  const double angle = 0.5 * std::atan2(2 * s.xy, s.xx - s.yy);
  const Vector along{std::cos(angle), std::sin(angle)};
  return {{middle + radius, middle - radius}, {along, {-along[1], along[0]}}};
}

// One evaluation in the unbounded coordinates u.
struct Point {
  Vector u{};
  Evaluation value;
  Vector gradient{};   // of the log-likelihood
  Symmetric metric{};  // estimate of minus its second derivatives
  double to_gain = 0;  // log-likelihood that a Newton step promises
};

class Surface {
 public:
  Surface(const Series& series, const Box& box, Mean mean)
      : series_(series),
        mean_(mean),
        sigma_(box.ln_sigma_min, box.ln_sigma_max),
        tau_(box.ln_tau_min, box.ln_tau_max) {}

  Vector inverse(const Parameters& p) const {
    return {sigma_.inverse(p.ln_sigma), tau_.inverse(p.ln_tau)};
  }
  Parameters parameters(const Vector& u) const { return {sigma_.value(u[0]), tau_.value(u[1])}; }

  Point at(const Vector& u) const {
    Point point;
    point.u = u;
    point.value = evaluate(series_, parameters(u), mean_, Want::Gradient);
    const Evaluation& e = point.value;
    const Vector slope{sigma_.slope(u[0]), tau_.slope(u[1])};
    point.gradient = {e.gradient[0] * slope[0], e.gradient[1] * slope[1]};
    point.metric = {
        e.information[0] * slope[0] * slope[0] - e.gradient[0] * sigma_.bend(u[0]),
        e.information[1] * slope[0] * slope[1],
        e.information[2] * slope[1] * slope[1] - e.gradient[1] * tau_.bend(u[1]),
    };
    const Eigen2 eigen = decompose(point.metric);
    for (int i = 0; i < 2; ++i) {
      const double g =
          point.gradient[0] * eigen.vectors[i][0] + point.gradient[1] * eigen.vectors[i][1];
      point.to_gain += 0.5 * g * g / std::max(std::abs(eigen.values[i]), 1e-4);
    }
    return point;
  }

 private:
  const Series& series_;
  Mean mean_;
  Interval sigma_, tau_;
};

// What Ceres minimises: minus the log-likelihood in coordinates w in which it starts at 0 with
// curvature near 1 in every direction, scaled so that its first step is a whole Newton step.
class Climb final : public ceres::FirstOrderFunction {
 public:
  Climb(const Surface& surface, const Point& start) : surface_(surface), start_(start) {
    best_ = start;
    const Eigen2 eigen = decompose(start.metric);
    double largest = 1;
    for (int i = 0; i < 2; ++i) {
      const Vector& v = eigen.vectors[i];
      const double g = start.gradient[0] * v[0] + start.gradient[1] * v[1];
      const double curvature =
          std::max({std::abs(eigen.values[i]), std::abs(g) / kLongestStep, kFlat});
      const double scale = 1 / std::sqrt(curvature);
      axes_[i] = {v[0] * scale, v[1] * scale};
      largest = std::max(largest, std::abs(g) * scale);
    }
    scale_ = largest;
  }

  int NumParameters() const override { return 2; }

  bool Evaluate(const double* w, double* cost, double* gradient) const override {
    const bool at_start = w[0] == 0 && w[1] == 0;
    const Point point = at_start ? start_ : evaluate_at(w);
    if (!std::isfinite(point.value.loglike)) return false;
    if (point.value.loglike > best_.value.loglike) best_ = point;
    *cost = (start_.value.loglike - point.value.loglike) / (scale_ * scale_);
    if (gradient != nullptr) {
      for (int i = 0; i < 2; ++i)
        gradient[i] = -(point.gradient[0] * axes_[i][0] + point.gradient[1] * axes_[i][1]) / scale_;
    }
    return true;
  }

  const Point& best() const { return best_; }
  int evaluations() const { return evaluations_; }
  double scale() const { return scale_; }

 private:
  Point evaluate_at(const double* w) const {
    ++evaluations_;
    Vector u = start_.u;
    for (int k = 0; k < 2; ++k) u[k] += scale_ * (w[0] * axes_[0][k] + w[1] * axes_[1][k]);
    return surface_.at(u);
  }

  const Surface& surface_;
  const Point start_;
  std::array<Vector, 2> axes_;
  double scale_;
  mutable Point best_;
  mutable int evaluations_ = 0;
};

ceres::GradientProblemSolver::Options solver_options(double gradient_tolerance) {
  ceres::GradientProblemSolver::Options options;
  options.line_search_direction_type = ceres::BFGS;
  options.line_search_type = ceres::WOLFE;
  options.max_num_iterations = 60;
  options.function_tolerance = 0;
  options.gradient_tolerance = gradient_tolerance;
  options.parameter_tolerance = 1e-14;
  options.logging_type = ceres::SILENT;
  return options;
}

std::uint8_t bounds_at(const Parameters& p, const Box& box) {
  std::uint8_t bounds = 0;
  if (p.ln_sigma - box.ln_sigma_min < kAtBound) bounds |= kSigmaLow;
  if (box.ln_sigma_max - p.ln_sigma < kAtBound) bounds |= kSigmaHigh;
  if (p.ln_tau - box.ln_tau_min < kAtBound) bounds |= kTauLow;
  if (box.ln_tau_max - p.ln_tau < kAtBound) bounds |= kTauHigh;
  return bounds;
}

// Maxima of the ridge: where its slope changes from up to down, and ends that rise outwards.
std::vector<Parameters> starts_on(const Ridge& ridge) {
  std::vector<RidgePoint> found;
  const auto& points = ridge.points;
  if (points.front().slope <= 0) found.push_back(points.front());
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    const RidgePoint &a = points[i], &b = points[i + 1];
    if (a.slope > 0 && b.slope <= 0) {
      const double t = a.slope / (a.slope - b.slope);
      found.push_back({a.ln_sigma + t * (b.ln_sigma - a.ln_sigma),
                       a.ln_tau + t * (b.ln_tau - a.ln_tau), std::max(a.loglike, b.loglike), 0});
    }
  }
  if (points.back().slope > 0) found.push_back(points.back());
  std::stable_sort(found.begin(), found.end(),
                   [](const RidgePoint& a, const RidgePoint& b) { return a.loglike > b.loglike; });
  constexpr std::size_t kMost = 3;
  std::vector<Parameters> starts;
  for (const RidgePoint& p : found)
    if (starts.size() < kMost) starts.push_back({p.ln_sigma, p.ln_tau});
  return starts;
}

}  // namespace

Box standard_box() {
  return {std::log(0.001), std::log(100.0), std::log(0.1), std::log(1e4)};
}

Ridge look_along_tau(const Series& series, const Box& box, Mean mean) {
  double shortest = std::numeric_limits<double>::infinity(), baseline = 0;
  for (const double dt : series.dt) {
    if (dt > 0) shortest = std::min(shortest, dt);
    baseline += dt;
  }
  double variance = 0;
  for (const double y : series.y) variance += y * y;
  variance /= static_cast<double>(series.size());

  // Shorter or longer tau than these are no different from them.
  const double low = std::clamp(std::log(shortest) - 1.5, box.ln_tau_min, box.ln_tau_max);
  const double high = std::clamp(std::log(baseline) + 2.5, low, box.ln_tau_max);
  const int steps = std::max(2, static_cast<int>(std::ceil((high - low) / 1.1)));
  Ridge ridge;
  double ln_sigma = 0.5 * std::log(std::max(variance, 1e-300));
  for (int i = 0; i <= steps; ++i) {
    const double ln_tau = low + (high - low) * i / steps;
    ln_sigma = std::clamp(ln_sigma, box.ln_sigma_min, box.ln_sigma_max);
    Evaluation e;
    // Newton steps in ln sigma from the neighbour's.
    for (int k = 0; k < 4; ++k) {
      e = evaluate(series, {ln_sigma, ln_tau}, mean, Want::Gradient);
      ++ridge.evaluations;
      const double step = std::clamp(e.gradient[0] / std::max(e.information[0], kFlat), -1.5, 1.5);
      const double next = std::clamp(ln_sigma + step, box.ln_sigma_min, box.ln_sigma_max);
      if (std::abs((next - ln_sigma) * e.gradient[0]) < 1 || k == 3) break;
      ln_sigma = next;
    }
    ridge.points.push_back({ln_sigma, ln_tau, e.loglike, e.gradient[1]});
  }
  return ridge;
}

Fit fit_from(const Series& series, const Box& box, Mean mean, const Parameters& start,
             double precision) {
  const Surface surface(series, box, mean);
  const Point first = surface.at(surface.inverse(start));
  Fit fit;
  fit.evaluations = 1;
  if (!std::isfinite(first.value.loglike)) return fit;

  auto* climb = new Climb(surface, first);  // owned by the problem
  const ceres::GradientProblem problem(climb);
  Vector w{0, 0};
  ceres::GradientProblemSolver::Summary summary;
  ceres::Solve(solver_options(precision / climb->scale()), problem, w.data(), &summary);

  const Point& best = climb->best();
  const Parameters p = surface.parameters(best.u);
  fit.ln_sigma = p.ln_sigma;
  fit.ln_tau = p.ln_tau;
  fit.mean = best.value.mean;
  fit.loglike = best.value.loglike;
  fit.bounds = bounds_at(p, box);
  fit.evaluations += climb->evaluations();
  // At the rounding of the log-likelihood a line search fails although nothing is left to gain.
  fit.converged = summary.termination_type == ceres::CONVERGENCE || best.to_gain < kSameLoglike;
  return fit;
}

const Fit& better(const Fit& first, const Fit& second) {
  if (first.converged != second.converged) return first.converged ? first : second;
  return second.loglike > first.loglike + kSameLoglike ? second : first;
}

Fit fit_global(const Series& series, const Box& box, Mean mean, const Ridge& ridge,
               std::span<const Parameters> more) {
  std::vector<Parameters> starts(more.begin(), more.end());
  const std::vector<Parameters> on_ridge = starts_on(ridge);
  starts.insert(starts.end(), on_ridge.begin(), on_ridge.end());
  int evaluations = ridge.evaluations;
  Fit best;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const Fit fit = fit_from(series, box, mean, starts[i], 1e-2);
    evaluations += fit.evaluations;
    best = i == 0 ? fit : better(best, fit);
  }
  const Fit last = fit_from(series, box, mean, best.parameters());
  evaluations += last.evaluations;
  best = last.loglike >= best.loglike ? last : best;
  best.evaluations = evaluations;
  return best;
}

Errors errors_of(const Series& series, const Fit& fit, Mean mean) {
  constexpr double kStep = 1e-4;
  const auto slope = [&](double by_sigma, double by_tau) {
    const Parameters p{fit.ln_sigma + by_sigma, fit.ln_tau + by_tau};
    return evaluate(series, p, mean, Want::Gradient).gradient;
  };
  const auto s1 = slope(kStep, 0), s0 = slope(-kStep, 0);
  const auto t1 = slope(0, kStep), t0 = slope(0, -kStep);
  const double ss = -(s1[0] - s0[0]) / (2 * kStep);
  const double tt = -(t1[1] - t0[1]) / (2 * kStep);
  const double st = -(s1[1] - s0[1] + t1[0] - t0[0]) / (4 * kStep);

  const bool sigma_fixed = (fit.bounds & (kSigmaLow | kSigmaHigh)) != 0;
  const bool tau_fixed = (fit.bounds & (kTauLow | kTauHigh)) != 0;
  const auto root = [](double v) { return v > 0 && std::isfinite(v) ? std::sqrt(v) : kNaN; };
  if (sigma_fixed && tau_fixed) return {kNaN, kNaN, kNaN, kNaN};
  if (sigma_fixed) return {kNaN, root(1 / tt), root(1 / tt), kNaN};
  if (tau_fixed) return {root(1 / ss), kNaN, root(4 / ss), kNaN};
  const double determinant = ss * tt - st * st;
  if (!(ss > 0 && determinant > 1e-10 * ss * std::abs(tt))) return {kNaN, kNaN, kNaN, kNaN};
  const double v_s = tt / determinant, v_t = ss / determinant, c = -st / determinant;
  return {root(v_s), root(v_t), root(4 * v_s + v_t - 4 * c), c};
}

}  // namespace ou
