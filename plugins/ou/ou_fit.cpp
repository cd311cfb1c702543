#include "ou_fit.hpp"

#include <ceres/first_order_function.h>
#include <ceres/gradient_problem.h>
#include <ceres/gradient_problem_solver.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "ou_surface.hpp"

namespace ou {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kAtBound = 1e-4;      // in ln sigma or ln tau
constexpr double kSameLoglike = 1e-6;  // differences below are rounding or early stopping
constexpr double kLongestStep = 2;     // limit of a first step in ln sigma, ln tau
constexpr double kFlat = 1e-6;         // curvature below this counts as none
constexpr double kRough = 3e-2;        // precision of climbs that only distinguish maxima
constexpr double kScreening = 1e-2;
constexpr double kFine = 1e-7;
constexpr double kEnoughOnRidge = 2;  // log-likelihood

// The function that Ceres minimises: minus the log-likelihood in coordinates w that start at 0 with
// curvature near 1 in every direction, scaled so that the first step is a full Newton step.
class Climb final : public ceres::FirstOrderFunction {
 public:
  Climb(const Series& series, const Surface& surface, Mean mean, const Summit& start)
      : series_(series), surface_(surface), mean_(mean), start_(start.best), best_(start.best) {
    const Eigen2 eigen = decompose(start.curvature);
    double largest = 1;
    for (std::size_t i = 0; i < 2; ++i) {
      const Vector& v = eigen.vectors[i];
      const double g = dot(start_.gradient, v);
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
      for (std::size_t i = 0; i < 2; ++i) gradient[i] = -dot(point.gradient, axes_[i]) / scale_;
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
    for (std::size_t k = 0; k < 2; ++k) u[k] += scale_ * (w[0] * axes_[0][k] + w[1] * axes_[1][k]);
    return surface_.point(u, evaluate(series_, surface_.parameters(u), mean_, Want::Gradient));
  }

  const Series& series_;
  const Surface& surface_;
  const Mean mean_;
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

// Refines the end of a climb in SIMD lanes to full precision.
Fit finish(const Series& series, const Box& box, Mean mean, const Summit& start) {
  const Surface surface(box);
  if (!std::isfinite(start.best.value.loglike))
    return fit_at(surface, box, start.best, start.evaluations);
  auto* climb = new Climb(series, surface, mean, start);  // owned by the problem
  const ceres::GradientProblem problem(climb);
  Vector w{0, 0};
  ceres::GradientProblemSolver::Summary summary;
  ceres::Solve(solver_options(kFine / climb->scale()), problem, w.data(), &summary);
  Fit fit = fit_at(surface, box, climb->best(), start.evaluations + climb->evaluations());
  // At the rounding level of the log-likelihood a line search fails even at the optimum.
  fit.converged = std::isfinite(fit.loglike) &&
                  (summary.termination_type == ceres::CONVERGENCE ||
                   to_gain(climb->best().gradient, climb->best().metric) < kSameLoglike);
  return fit;
}

// Maxima of the ridge: where its slope changes sign from + to -, and ends that rise outwards.
std::vector<Start> starts_on(const Ridge& ridge) {
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
  std::stable_sort(found.begin(), found.end(), [](const RidgePoint& a, const RidgePoint& b) {
    return is_lower(b.loglike, a.loglike);
  });
  constexpr std::size_t kMost = 3;
  std::vector<Start> starts;
  for (const RidgePoint& p : found)
    if (starts.size() < kMost) starts.push_back({{p.ln_sigma, p.ln_tau}});
  return starts;
}

// Variance beyond the errors, and the range of tau that is constrained.
struct Rough {
  double variance, shortest, baseline;
};
Rough roughly(const Series& series) {
  Rough out{0, std::numeric_limits<double>::infinity(), 0};
  double mean = 0, errors = 0;
  const auto n = static_cast<double>(series.size());
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (series.dt[i] > 0) out.shortest = std::min(out.shortest, series.dt[i]);
    out.baseline += series.dt[i];
    mean += series.y[i] / n;
    errors += series.var[i] / n;
  }
  for (const double y : series.y) out.variance += (y - mean) * (y - mean) / n;
  out.variance = std::max(out.variance - errors, 0.05 * out.variance);
  return out;
}

}  // namespace

Box standard_box() {
  return {std::log(0.001), std::log(100.0), std::log(0.1), std::log(1e4)};
}

Fit fit_at(const Surface& surface, const Box& box, const Point& point, int evaluations) {
  const Parameters p = surface.parameters(point.u);
  Fit fit;
  fit.ln_sigma = p.ln_sigma;
  fit.ln_tau = p.ln_tau;
  fit.mean = point.value.mean;
  fit.loglike = point.value.loglike;
  fit.bounds = bounds_at(p, box);
  fit.evaluations = evaluations;
  return fit;
}

Ridge look_along_tau(const Series& series, const Box& box, Mean mean, const Ridge* before) {
  const Rough rough = roughly(series);
  // Outside this range tau makes no difference.
  const double low = std::clamp(std::log(rough.shortest) - 1.5, box.ln_tau_min, box.ln_tau_max);
  const double high = std::clamp(std::log(rough.baseline) + 2.5, low, box.ln_tau_max);
  const int steps = std::max(2, static_cast<int>(std::ceil((high - low) / 1.1)));
  Ridge ridge;
  std::vector<Trial> trials;
  const bool is_known =
      before != nullptr && before->points.size() == static_cast<std::size_t>(steps) + 1;
  for (int i = 0; i <= steps; ++i) {
    const double ln_tau = low + (high - low) * i / steps;
    // If a process is longer than the light curve, only part of its variance is visible.
    const double hidden = 1 + 2 * std::exp(ln_tau) / std::max(rough.baseline, 1e-300);
    double ln_sigma = 0.5 * std::log(std::max(rough.variance * hidden, 1e-300));
    if (is_known)
      ln_sigma = std::min(ln_sigma, before->points[static_cast<std::size_t>(i)].ln_sigma);
    trials.push_back({{std::clamp(ln_sigma, box.ln_sigma_min, box.ln_sigma_max), ln_tau}});
  }
  ridge.points.resize(trials.size());
  // Newton steps in ln sigma, until at most about one in log-likelihood can be gained.
  std::vector<std::size_t> at(trials.size());
  for (std::size_t i = 0; i < at.size(); ++i) at[i] = i;
  for (int round = 0; round < 4 && !trials.empty(); ++round) {
    const std::vector<Evaluation> found = evaluate_all(series, trials, mean, Want::Gradient);
    ridge.evaluations += static_cast<int>(trials.size());
    std::vector<Trial> again;
    std::vector<std::size_t> again_at;
    for (std::size_t k = 0; k < trials.size(); ++k) {
      const Evaluation& e = found[k];
      const Parameters p = trials[k].at;
      const double curvature = std::max(e.information[0], kFlat);
      const double step = std::clamp(e.gradient[0] / curvature, -1.5, 1.5);
      const double next = std::clamp(p.ln_sigma + step, box.ln_sigma_min, box.ln_sigma_max);
      const double gain = 0.5 * (next - p.ln_sigma) * e.gradient[0];
      const double by_tau = next == p.ln_sigma ? 0 : e.information[1] / curvature;
      ridge.points[at[k]] = {next, p.ln_tau, e.loglike + gain,
                             e.gradient[1] - by_tau * e.gradient[0]};
      if (gain < kEnoughOnRidge) continue;
      again.push_back({{next, p.ln_tau}});
      again_at.push_back(at[k]);
    }
    trials = std::move(again);
    at = std::move(again_at);
  }
  return ridge;
}

Fit fit_from(const Series& series, const Box& box, Mean mean, const Parameters& start) {
  const Surface surface(box);
  Summit summit;
  const Vector u = surface.inverse(start);
  summit.best = surface.point(u, evaluate(series, surface.parameters(u), mean, Want::Gradient));
  summit.curvature = summit.best.metric;
  summit.evaluations = 1;
  return finish(series, box, mean, summit);
}

bool are_near(const Parameters& a, const Parameters& b) {
  return std::abs(a.ln_sigma - b.ln_sigma) < 0.6 && std::abs(a.ln_tau - b.ln_tau) < 0.8;
}

bool is_lower(double a, double b) {
  return std::isnan(a) ? !std::isnan(b) : a < b;
}

const Fit& better(const Fit& first, const Fit& second) {
  if (first.converged != second.converged) return first.converged ? first : second;
  return is_lower(first.loglike + kSameLoglike, second.loglike) ? second : first;
}

Fit fit_global(const Series& series, const Box& box, Mean mean, const Ridge& ridge,
               std::span<const Parameters> more) {
  std::vector<Start> starts;
  for (const Parameters& p : more) starts.push_back({p});
  for (const Start& s : starts_on(ridge)) starts.push_back(s);
  if (starts.empty()) starts.push_back({{ridge.points[0].ln_sigma, ridge.points[0].ln_tau}});
  const std::vector<Summit> summits = climb_all(series, box, mean, starts, kRough);
  int evaluations = ridge.evaluations;
  const Summit* best = &summits.front();
  for (const Summit& s : summits) {
    evaluations += s.evaluations;
    if (is_lower(best->best.value.loglike + kSameLoglike, s.best.value.loglike)) best = &s;
  }
  Fit fit = finish(series, box, mean, *best);
  fit.evaluations += evaluations - best->evaluations;
  return fit;
}

Fit highest_of(const Series& series, const Box& box, Mean mean, const Ridge& ridge,
               const Fit& known) {
  const std::vector<Start> maxima = starts_on(ridge);
  const bool is_known = std::all_of(maxima.begin(), maxima.end(), [&](const Start& s) {
    return are_near(s.at, known.parameters());
  });
  if (is_known) return known;
  return better(known, fit_global(series, box, mean, ridge));
}

std::vector<Fit> fit_each(const Series& series, const Box& box, Mean mean,
                          std::span<const Start> starts, Precision precision) {
  const Surface surface(box);
  const std::vector<Summit> summits =
      climb_all(series, box, mean, starts, precision == Precision::Full ? kFine : kScreening);
  std::vector<Fit> fits;
  for (std::size_t k = 0; k < starts.size(); ++k) {
    const Start& start = starts[k];
    fits.push_back(fit_at(surface, box, summits[k].best, summits[k].evaluations));
    fits.back().converged = summits[k].converged;
    if (summits[k].converged || !std::isfinite(summits[k].best.value.loglike)) continue;
    fits.back() = start.omitted ? finish(without(series, {*start.omitted}), box, mean, summits[k])
                                : finish(series, box, mean, summits[k]);
  }
  return fits;
}

bool Errors::some_undefined() const {
  return std::isnan(ln_sigma + ln_tau + ln_d + covariance);
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
