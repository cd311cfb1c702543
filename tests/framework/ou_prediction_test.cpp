// Beside dense algebra: the covariance matrix is written down and solved.
#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

#include "qsohost/ou_prediction.hpp"

using namespace qsohost;
using Catch::Matchers::WithinAbs;

namespace {

struct Curve {
  std::vector<double> times, mags, variances;
  OuEpochs epochs() const { return {times, mags, variances}; }
};

Curve curve_of(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::exponential_distribution<double> step(0.2);
  std::normal_distribution<double> noise;
  Curve curve;
  double time = 58000;
  for (std::size_t i = 0; i < n; ++i) {
    if (i % 7 != 3) time += step(random);  // some equal times
    curve.times.push_back(time);
    curve.mags.push_back(19 + 0.2 * noise(random));
    curve.variances.push_back(1e-4 * (1 + std::abs(noise(random))));
  }
  return curve;
}

double covariance(const OuParameters& p, double dt) {
  return std::exp(2 * p.log_sigma - std::abs(dt) * std::exp(-p.log_tau));
}

struct Value {
  double mean, variance;
};

// At `time`, without epoch `left_out` (none if it is n).
Value dense(const Curve& curve, const OuParameters& p, double time, std::size_t left_out) {
  std::vector<std::size_t> used;
  for (std::size_t i = 0; i < curve.times.size(); ++i) {
    if (i != left_out) used.push_back(i);
  }
  const auto n = static_cast<Eigen::Index>(used.size());
  Eigen::MatrixXd k(n, n);
  Eigen::VectorXd y(n);
  Eigen::VectorXd c(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const std::size_t a = used[static_cast<std::size_t>(i)];
    for (Eigen::Index j = 0; j < n; ++j) {
      const std::size_t b = used[static_cast<std::size_t>(j)];
      k(i, j) = covariance(p, curve.times[a] - curve.times[b]);
    }
    k(i, i) += curve.variances[a];
    y(i) = curve.mags[a] - p.mean;
    c(i) = covariance(p, curve.times[a] - time);
  }
  const Eigen::LLT<Eigen::MatrixXd> factor(k);
  return {p.mean + c.dot(factor.solve(y)), covariance(p, 0) - c.dot(factor.solve(c))};
}

}  // namespace

TEST_CASE("predictions are those of dense algebra") {
  const OuParameters p{std::log(0.15), std::log(80.0), 19.05};
  for (const std::size_t n : {1U, 2U, 60U}) {
    const Curve curve = curve_of(n, 7);
    const double end = curve.times.back();
    const std::vector<double> at{57990, end + 500, 58010.5, 58000, end, end - 1e-9, 58040};
    const OuPrediction found = predict_ou(curve.epochs(), p, at);
    for (std::size_t i = 0; i < at.size(); ++i) {
      const Value right = dense(curve, p, at[i], n);
      CHECK_THAT(found.mean[i], WithinAbs(right.mean, 1e-9));
      CHECK_THAT(found.variance[i], WithinAbs(right.variance, 1e-10));
    }
  }
}

TEST_CASE("leaving each epoch out is what dense algebra gives without it") {
  const OuParameters p{std::log(0.3), std::log(15.0), 18.9};
  for (const std::size_t n : {1U, 2U, 60U}) {
    const Curve curve = curve_of(n, 11);
    const OuPrediction found = leave_one_out_ou(curve.epochs(), p);
    REQUIRE(found.mean.size() == n);
    for (std::size_t i = 0; i < n; ++i) {
      const Value right = dense(curve, p, curve.times[i], i);
      CHECK_THAT(found.mean[i], WithinAbs(right.mean, 1e-9));
      CHECK_THAT(found.variance[i], WithinAbs(right.variance, 1e-10));
    }
  }
}

TEST_CASE("without epochs the process is at its mean") {
  const OuPrediction found = predict_ou({}, {std::log(0.2), 3, 20}, std::vector<double>{1, 2});
  CHECK(found.mean == std::vector<double>{20, 20});
  CHECK_THAT(found.variance[1], WithinAbs(0.04, 1e-15));
}
