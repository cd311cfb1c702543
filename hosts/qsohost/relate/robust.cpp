#include "relate/robust.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "qsohost/error.hpp"

namespace qsohost::cli {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kHuber = 1.345;
constexpr double kSdOfMad = 1.4826;  // of a normal distribution
constexpr int kMostSteps = 200;

double scale_of(const VectorXd& residual) {
  std::vector<double> values(residual.begin(), residual.end());
  const double middle = median_of(values);
  for (double& v : values) v = std::abs(v - middle);
  return kSdOfMad * median_of(std::move(values));
}

double huber_weight(double residual, double scale) {
  const double far = kHuber * scale;
  return std::abs(residual) <= far ? 1 : far / std::abs(residual);
}

// The first column is 1, so that the intercept is y at the medians.
MatrixXd design_of(const std::vector<std::vector<double>>& x, const std::vector<double>& centre,
                   std::size_t n) {
  MatrixXd design(n, x.size() + 1);
  design.col(0).setOnes();
  for (std::size_t k = 0; k < x.size(); ++k) {
    const Eigen::Map<const VectorXd> column(x[k].data(), static_cast<Eigen::Index>(n));
    design.col(static_cast<Eigen::Index>(k) + 1) = column.array() - centre[k];
  }
  return design;
}

void check_design(const MatrixXd& design) {
  const auto n = design.rows(), parameters = design.cols();
  if (n < parameters + 2) {
    throw RunError(
        fmt::format("{} objects are too few for a line with {} parameters; it takes at least {}", n,
                    parameters, parameters + 2));
  }
  // Regressors in their own units: 1e-10 is far below what rounding of sensible data leaves.
  MatrixXd scaled = design;
  for (Eigen::Index k = 0; k < parameters; ++k) {
    scaled.col(k) /= std::max(scaled.col(k).norm(), std::numeric_limits<double>::min());
  }
  Eigen::ColPivHouseholderQR<MatrixXd> qr(scaled);
  qr.setThreshold(1e-10);
  if (qr.rank() < parameters) {
    throw RunError(
        "a regressor has the same value for all objects, or depends linearly on the others: leave "
        "it out");
  }
}

VectorXd weighted_line(const MatrixXd& design, const VectorXd& y, const VectorXd& weight) {
  const MatrixXd weighted = weight.asDiagonal() * design;
  return (design.transpose() * weighted).ldlt().solve(weighted.transpose() * y);
}

// Sum over clusters of the outer products of their scores.
MatrixXd spread_of_scores(const MatrixXd& scores, std::span<const std::size_t> cluster) {
  if (cluster.empty()) return scores.transpose() * scores;
  std::unordered_map<std::size_t, Eigen::Index> row_of;
  MatrixXd sums = MatrixXd::Zero(scores.rows(), scores.cols());
  for (Eigen::Index i = 0; i < scores.rows(); ++i) {
    const auto next = static_cast<Eigen::Index>(row_of.size());
    const auto row = row_of.try_emplace(cluster[static_cast<std::size_t>(i)], next).first->second;
    sums.row(row) += scores.row(i);
  }
  return sums.transpose() * sums;
}

// Of the parameters. psi' is 1 within c scales and 0 beyond.
VectorXd errors_of(const MatrixXd& design, const RobustFit& fit,
                   std::span<const std::size_t> cluster) {
  const auto n = design.rows();
  MatrixXd scores = design;
  VectorXd is_near(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const auto k = static_cast<std::size_t>(i);
    scores.row(i) *= fit.weight[k] * fit.residual[k];
    is_near[i] = fit.weight[k] == 1 ? 1 : 0;
  }
  const MatrixXd bread = (design.transpose() * is_near.asDiagonal() * design).inverse();
  const double correction = static_cast<double>(n) / static_cast<double>(n - design.cols());
  const MatrixXd covariance = correction * bread * spread_of_scores(scores, cluster) * bread;
  return covariance.diagonal().cwiseSqrt();
}

}  // namespace

double median_of(std::vector<double> values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

double RobustFit::at(std::span<const double> x) const {
  double value = intercept;
  for (std::size_t k = 0; k < slope.size(); ++k) value += slope[k] * (x[k] - centre[k]);
  return value;
}

RobustFit robust_line(const std::vector<std::vector<double>>& x, std::span<const double> y,
                      std::span<const std::size_t> cluster) {
  RobustFit fit;
  fit.n = y.size();
  for (const std::vector<double>& column : x) fit.centre.push_back(median_of(column));
  const MatrixXd design = design_of(x, fit.centre, fit.n);
  check_design(design);
  const Eigen::Map<const VectorXd> values(y.data(), static_cast<Eigen::Index>(y.size()));
  VectorXd weight = VectorXd::Ones(design.rows());
  VectorXd line = weighted_line(design, values, weight);
  VectorXd residual = values - design * line;
  for (int step = 0; step < kMostSteps && !fit.has_converged; ++step) {
    fit.scatter = scale_of(residual);
    // Points on a line: what is left is rounding, and has no far ones.
    fit.has_converged = fit.scatter <= 1e-12 * values.lpNorm<Eigen::Infinity>();
    if (fit.has_converged) break;
    weight = residual.unaryExpr([&](double r) { return huber_weight(r, fit.scatter); });
    const VectorXd next = weighted_line(design, values, weight);
    const VectorXd moved = design * (next - line);
    line = next;
    residual = values - design * line;
    fit.has_converged = moved.lpNorm<Eigen::Infinity>() <= 1e-8 * fit.scatter;
  }
  fit.sd = std::sqrt((residual.array() - residual.mean()).square().sum() /
                     static_cast<double>(fit.n - 1));
  fit.residual.assign(residual.begin(), residual.end());
  fit.weight.assign(weight.begin(), weight.end());
  const VectorXd errors = errors_of(design, fit, cluster);
  fit.intercept = line[0];
  fit.intercept_err = errors[0];
  fit.slope.assign(line.begin() + 1, line.end());
  fit.slope_err.assign(errors.begin() + 1, errors.end());
  return fit;
}

}  // namespace qsohost::cli
