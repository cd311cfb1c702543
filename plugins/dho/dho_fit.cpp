#include "dho_fit.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

namespace dho {
namespace {

constexpr double kAtBound = 1e-6;      // in the logarithm of a parameter
constexpr double kRough = 0.02;        // log-likelihood; maxima are distinguished to this
constexpr double kFine = 1e-7;         // log-likelihood left to gain at convergence
constexpr double kSameLoglike = 1e-6;  // differences below are rounding or early stopping
constexpr double kLongestStep = 2;     // in the logarithm of a parameter
constexpr double kFlat = 1e-3;         // curvature below this is raised to this
constexpr int kClimbs = 6;

using Matrix = Eigen::Matrix4d;

struct Point {
  Parameters at;
  Evaluation value;
};

class Surface {
 public:
  Surface(const Series& series, const Box& box, Mean mean)
      : series_(series), box_(box), mean_(mean) {}

  Parameters inside(const Parameters& at) const {
    return at.cwiseMax(box_.low).cwiseMin(box_.high);
  }
  double value(const Parameters& at) const { return value_at(series_, at, mean_).loglike; }
  Point point(const Parameters& at) const { return {at, gradient_at(series_, at, mean_)}; }

  std::uint8_t bounds(const Parameters& at) const {
    unsigned bounds = 0;
    for (int i = 0; i < 4; ++i) {
      if (at[i] - box_.low[i] < kAtBound) bounds |= 1U << (2 * i);
      if (box_.high[i] - at[i] < kAtBound) bounds |= 2U << (2 * i);
    }
    return static_cast<std::uint8_t>(bounds);
  }

  // Parameters that a climb may change: not those on a bound beyond which the likelihood rises.
  std::array<bool, 4> free(const Point& p) const {
    std::array<bool, 4> free{};
    for (int i = 0; i < 4; ++i) {
      const double g = p.value.gradient[i];
      free[static_cast<std::size_t>(i)] = !(p.at[i] <= box_.low[i] + kAtBound && g <= 0) &&
                                          !(p.at[i] >= box_.high[i] - kAtBound && g >= 0);
    }
    return free;
  }

  // Second derivatives of the log-likelihood, with the sign changed.
  Matrix curvature(const Parameters& at) const {
    constexpr double kStep = 1e-4;
    Matrix out;
    for (int i = 0; i < 4; ++i) {
      const Parameters by = kStep * Parameters::Unit(i);
      out.col(i) = (gradient_at(series_, at - by, mean_).gradient -
                    gradient_at(series_, at + by, mean_).gradient) /
                   (2 * kStep);
    }
    return (out + out.transpose()) / 2;
  }

 private:
  const Series& series_;
  const Box& box_;
  const Mean mean_;
};

// Replaces the rows and columns of parameters that are not free by those of the unit matrix.
Matrix restricted(Matrix m, const std::array<bool, 4>& free) {
  for (int i = 0; i < 4; ++i) {
    if (free[static_cast<std::size_t>(i)]) continue;
    m.row(i).setZero();
    m.col(i).setZero();
    m(i, i) = 1;
  }
  return m;
}

Parameters restricted(Parameters v, const std::array<bool, 4>& free) {
  for (int i = 0; i < 4; ++i) {
    if (!free[static_cast<std::size_t>(i)]) v[i] = 0;
  }
  return v;
}

// Levenberg-Marquardt steps from `from` with the metric from `metric_at`, until at most `precision`
// can be gained, or no step gains more.
struct Climb {
  Point best;
  bool converged = false;
};

template <class MetricAt>
Climb climb(const Surface& surface, Point from, const MetricAt& metric_at, double precision,
            int most_steps) {
  Climb climb{std::move(from)};
  double damping = 1e-3;
  bool moved = true;
  std::array<bool, 4> free{};
  Matrix metric;
  for (int step = 0; step < most_steps && damping < 1e9; ++step) {
    Point& best = climb.best;
    if (moved) {
      free = surface.free(best);
      metric = restricted(metric_at(best), free);
    }
    const Parameters gradient = restricted(best.value.gradient, free);
    Matrix damped = metric;
    damped.diagonal() += damping * (metric.diagonal().array() + kFlat).matrix();
    Parameters by = damped.ldlt().solve(gradient);
    const double promised = 0.5 * gradient.dot(by);
    climb.converged = promised < precision && damping < 1;
    if (climb.converged) return climb;
    by *= std::min(1.0, kLongestStep / std::max(by.cwiseAbs().maxCoeff(), 1e-300));
    const Point next = surface.point(surface.inside(best.at + by));
    moved = next.value.loglike > best.value.loglike;
    if (moved) best = next;
    damping = moved ? std::max(damping / 8, 1e-6) : damping * 6;
  }
  return climb;
}

// The curvature with negative eigenvalues made positive and small ones raised.
Matrix positive(const Matrix& curvature) {
  const Eigen::SelfAdjointEigenSolver<Matrix> eigen(curvature);
  const Parameters values = eigen.eigenvalues().cwiseAbs().cwiseMax(kFlat);
  return eigen.eigenvectors() * values.asDiagonal() * eigen.eigenvectors().transpose();
}

// What a light curve constrains: its variance beyond the errors, and its range of times in d.
struct Extent {
  double variance = 0, shortest = 0, longest = 0;
};

Extent extent_of(const Series& series) {
  Extent out;
  const auto n = static_cast<double>(series.size());
  const double mean = std::accumulate(series.y.begin(), series.y.end(), 0.0) / n;
  const double errors = std::accumulate(series.var.begin(), series.var.end(), 0.0) / n;
  std::vector<double> steps;
  for (std::size_t i = 0; i < series.size(); ++i) {
    out.variance += (series.y[i] - mean) * (series.y[i] - mean) / n;
    out.longest += series.dt[i];
    if (series.dt[i] > 0) steps.push_back(series.dt[i]);
  }
  out.variance = std::max({out.variance - errors, 0.05 * out.variance, 1e-12});
  if (steps.empty()) return {out.variance, 1, 1};
  const auto tenth = steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 10);
  std::nth_element(steps.begin(), tenth, steps.end());
  out.shortest = *tenth;
  return out;
}

struct Start {
  Parameters at;
  double loglike;
};

Parameters oscillator(const Extent& extent, double omega, double xi, double tau_perturb) {
  // If a process is slower than the light curve is long, only part of its variance is visible.
  const double slow = xi > 1 ? xi + std::sqrt(xi * xi - 1) : 1 / xi;
  const double hidden = 1 + 2 * slow / (omega * extent.longest);
  return {0.5 * std::log(extent.variance * hidden), std::log(omega), std::log(xi),
          std::log(tau_perturb)};
}

std::vector<Parameters> starts_for(const Extent& extent) {
  std::vector<Parameters> out;
  const double low = std::log(0.5 / extent.longest);
  const double high = std::max(low + 1, std::log(2 / extent.shortest));
  constexpr int kNodes = 7;
  for (int i = 0; i < kNodes; ++i) {
    const double omega = std::exp(low + (high - low) * i / (kNodes - 1));
    for (const double xi : {0.06, 0.3, 1.2, 6.0, 40.0}) {
      for (const double turn : {0.05, 0.5, 5.0})
        out.push_back(oscillator(extent, omega, xi, turn / omega));
    }
  }
  // Damped random walks: the perturbation cancels the second pole.
  for (int i = 0; i < kNodes; ++i) {
    const double tau = std::exp(-(low + (high - low) * i / (kNodes - 1)));
    const double rise = std::min(0.1 * tau, extent.shortest);
    const double omega = 1 / std::sqrt(tau * rise);
    out.push_back(oscillator(extent, omega, (tau + rise) * omega / 2, rise));
  }
  return out;
}

// The highest few, none of them a neighbour of a higher one.
std::vector<Parameters> best_starts(const Surface& surface, const Extent& extent) {
  std::vector<Start> all;
  for (const Parameters& at : starts_for(extent)) {
    const Parameters inside = surface.inside(at);
    const double loglike = surface.value(inside);
    // NaN cannot be sorted.
    if (std::isfinite(loglike)) all.push_back({inside, loglike});
  }
  std::ranges::stable_sort(all, std::ranges::greater{}, &Start::loglike);
  std::vector<Parameters> chosen;
  for (const Start& start : all) {
    if (chosen.size() == kClimbs) break;
    const auto is_near = [&](const Parameters& other) {
      return (start.at - other).tail<3>().cwiseAbs().maxCoeff() < 1.7;
    };
    if (std::ranges::none_of(chosen, is_near)) chosen.push_back(start.at);
  }
  return chosen;
}

// Only for parameters that are not on a bound; 0 for the rest.
Matrix covariance_of(const Surface& surface, const Point& point) {
  std::vector<Eigen::Index> free;
  const std::uint8_t bounds = surface.bounds(point.at);
  for (Eigen::Index i = 0; i < 4; ++i) {
    if (((bounds >> (2 * i)) & 3) == 0) free.push_back(i);
  }
  Matrix covariance = Matrix::Zero();
  if (free.empty()) return covariance;
  const Eigen::MatrixXd curvature = surface.curvature(point.at)(free, free);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(curvature);
  const Eigen::VectorXd& values = eigen.eigenvalues();
  if (!(values.minCoeff() > 1e-8 * values.maxCoeff()))
    return Matrix::Constant(std::numeric_limits<double>::quiet_NaN());
  covariance(free, free) =
      eigen.eigenvectors() * values.cwiseInverse().asDiagonal() * eigen.eigenvectors().transpose();
  return covariance;
}

}  // namespace

Box standard_box() {
  const auto logs = [](double a, double b, double c, double d) {
    return Parameters{std::log(a), std::log(b), std::log(c), std::log(d)};
  };
  return {logs(1e-3, 1e-5, 1e-2, 1e-4), logs(1e2, 1e2, 1e3, 1e4)};
}

Fit fit_global(const Series& series, const Box& box, Mean mean) {
  const Surface surface(series, box, mean);
  const auto fisher = [](const Point& p) { return p.value.information; };
  const auto curvature = [&](const Point& p) { return positive(surface.curvature(p.at)); };
  Fit fit;
  Climb best;
  best.best.value.loglike = -std::numeric_limits<double>::infinity();
  for (const Parameters& start : best_starts(surface, extent_of(series))) {
    const Climb found = climb(surface, surface.point(start), fisher, kRough, 40);
    if (found.best.value.loglike > best.best.value.loglike + kSameLoglike) best = found;
  }
  if (!std::isfinite(best.best.value.loglike)) return fit;
  best = climb(surface, best.best, fisher, kRough / 100, 60);
  best = climb(surface, best.best, curvature, kFine, 25);
  const Point& top = best.best;
  fit.converged = best.converged;
  fit.at = top.at;
  fit.mean = top.value.mean;
  fit.loglike = top.value.loglike;
  fit.chi2 = top.value.chi2;
  fit.bounds = surface.bounds(top.at);
  fit.covariance = covariance_of(surface, top);
  return fit;
}

}  // namespace dho
