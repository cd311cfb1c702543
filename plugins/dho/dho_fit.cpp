#include "dho_fit.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "dho_starts.hpp"

namespace dho {
namespace {

constexpr double kAtBound = 1e-6;  // in the logarithm of a parameter
// Log-likelihood left to gain at the end of a climb: maxima are distinguished to kRough. Where the
// last climb hardly gets on, because of rounding or along a curved ridge, kEnough will do.
constexpr double kRough = 1e-2, kWalk = 1e-6, kFine = 1e-7, kEnough = 1e-4;
constexpr int kPatience = 25;  // evaluations

// With minus the second derivatives in place of the information, by differences of the gradient.
Evaluation with_curvature(const Series& series, const Trial& trial, Mean mean) {
  constexpr double kStep = 1e-5;
  std::array<Trial, 5> trials;
  trials.fill(trial);
  for (int i = 0; i < 4; ++i) trials[static_cast<std::size_t>(i) + 1].at[i] += kStep;
  const std::vector<Evaluation> found = evaluate_all(series, trials, mean, Want::Gradient);
  Evaluation out = found[0];
  Matrix curvature;
  for (int i = 0; i < 4; ++i)
    curvature.col(i) = (out.gradient - found[static_cast<std::size_t>(i) + 1].gradient) / kStep;
  out.information = (curvature + curvature.transpose()) / 2;
  return out;
}

std::uint8_t bounds_at(const Parameters& at, const Box& box) {
  unsigned bounds = 0;
  for (int i = 0; i < 4; ++i) {
    if (at[i] - box.low[i] < kAtBound) bounds |= 1U << (2 * i);
    if (box.high[i] - at[i] < kAtBound) bounds |= 2U << (2 * i);
  }
  return static_cast<std::uint8_t>(bounds);
}

// Only for parameters that are not on a bound; 0 for the rest. A direction in which the likelihood
// is flat to rounding has a standard deviation of 32, so that parameters without a part in it keep
// their errors.
Matrix covariance_of(const Matrix& all, std::uint8_t bounds) {
  constexpr double kFlat = 1e-3, kConvex = -1e-2;  // curvature
  std::vector<Eigen::Index> free;
  for (Eigen::Index i = 0; i < 4; ++i) {
    if (((bounds >> (2 * i)) & 3) == 0) free.push_back(i);
  }
  Matrix covariance = Matrix::Zero();
  if (free.empty()) return covariance;
  const Eigen::MatrixXd curvature = all(free, free);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(curvature);
  const Eigen::VectorXd& values = eigen.eigenvalues();
  if (!(values.minCoeff() > kConvex))
    return Matrix::Constant(std::numeric_limits<double>::quiet_NaN());
  covariance(free, free) = eigen.eigenvectors() *
                           values.cwiseMax(kFlat).cwiseInverse().asDiagonal() *
                           eigen.eigenvectors().transpose();
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
  const Space all{box};
  const Extent extent = extent_of(series);
  std::vector<Climb> climbs;
  const auto start = [&](const Space& space, const std::vector<Trial>& from, double precision) {
    for (const Trial& t : from) climbs.emplace_back(Start{&space, t, precision});
  };
  start(walks(), walk_starts(series, extent, mean), kWalk);
  start(all, oscillator_starts(series, extent, mean), kRough);
  run(series, mean, climbs, &walks());
  Fit fit;
  fit.loglike_walk = -std::numeric_limits<double>::infinity();
  if (const Climb* walk = highest(climbs, &walks()); walk != nullptr) {
    fit.loglike_walk = walk->value().loglike;
    start(all, second_time_starts(series, extent, mean, walk->best()), kRough);
  }
  run(series, mean, climbs);
  const Climb* top = highest(climbs, &all);
  if (top == nullptr) return fit;
  Climb last(Start{&all, top->best(), kFine});
  while (!last.is_done() && (last.evaluations() < kPatience || last.to_gain() > kEnough))
    last.take(with_curvature(series, last.next(), mean));
  fit.converged = last.to_gain() < kEnough;
  fit.at = last.best().at;
  fit.mean = series.reference + last.value().mean;
  fit.loglike = last.value().loglike;
  fit.chi2 = last.value().chi2;
  fit.bounds = bounds_at(fit.at, box);
  fit.covariance = covariance_of(last.value().information, fit.bounds);
  return fit;
}

}  // namespace dho
