// Marginal means, leave-one-out predictions and the fitted curve against dense algebra.
#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <catch2/catch.hpp>
#include <cmath>
#include <numbers>
#include <optional>
#include <vector>

#include "ou_likelihood.hpp"
#include "simulate.hpp"

using ou::Mean;
using ou::Want;

namespace {

// Epochs and the covariance of their noisy magnitudes.
struct Dense {
  std::vector<double> t;
  Eigen::VectorXd y;
  Eigen::MatrixXd k;
  ou::Parameters at;

  Dense(const std::vector<double>& time, const ou::Series& s, const ou::Parameters& p,
        const std::vector<std::uint8_t>& left_out)
      : at(p) {
    std::vector<double> values, variances;
    for (std::size_t i = 0; i < s.size(); ++i) {
      if (left_out[i] != 0) continue;
      t.push_back(time[i]);
      values.push_back(s.y[i]);
      variances.push_back(s.var[i] + std::exp(2 * p.ln_jitter));
    }
    const auto n = static_cast<Eigen::Index>(t.size());
    y = Eigen::Map<Eigen::VectorXd>(values.data(), n);
    k.resize(n, n);
    for (Eigen::Index i = 0; i < n; ++i) k.col(i) = covariance(t[static_cast<std::size_t>(i)]);
    k.diagonal() += Eigen::Map<Eigen::VectorXd>(variances.data(), n);
  }
  // Of the process at `time` with it at the epochs.
  Eigen::VectorXd covariance(double time) const {
    Eigen::VectorXd c(static_cast<Eigen::Index>(t.size()));
    for (std::size_t i = 0; i < t.size(); ++i)
      c[static_cast<Eigen::Index>(i)] =
          std::exp(2 * at.ln_sigma - std::abs(t[i] - time) / std::exp(at.ln_tau));
    return c;
  }

  double loglike(Mean mean) const {
    const Eigen::LLT<Eigen::MatrixXd> llt(k);
    const Eigen::VectorXd ones = Eigen::VectorXd::Ones(y.size());
    const double weight = ones.dot(llt.solve(ones));
    const double level = mean == Mean::Fixed ? 0 : ones.dot(llt.solve(y)) / weight;
    const Eigen::VectorXd r = y - level * ones;
    const Eigen::MatrixXd l = llt.matrixL();
    double out = -0.5 * r.dot(llt.solve(r)) - l.diagonal().array().log().sum() -
                 0.5 * static_cast<double>(y.size()) * std::log(2 * std::numbers::pi);
    if (mean == Mean::Marginal) out += 0.5 * std::log(2 * std::numbers::pi / weight);
    return out;
  }
  // The process at `time` given all epochs.
  struct Predicted {
    double mean, var;
  };
  Predicted predict(double time, Mean mean) const {
    const Eigen::LLT<Eigen::MatrixXd> llt(k);
    const Eigen::VectorXd ones = Eigen::VectorXd::Ones(y.size()), c = covariance(time);
    const Eigen::VectorXd solved = llt.solve(c);
    const double weight = ones.dot(llt.solve(ones));
    const double level = mean == Mean::Fixed ? 0 : ones.dot(llt.solve(y)) / weight;
    const double missing = 1 - solved.sum();
    const double of_level = mean == Mean::Fixed ? 0 : missing * missing / weight;
    return {level + solved.dot(y - level * ones),
            std::exp(2 * at.ln_sigma) - c.dot(solved) + of_level};
  }
};

struct Sample {
  ou::Curve curve = simulate::curve(60, 5);
  ou::Series series;
  std::vector<std::uint8_t> none = std::vector<std::uint8_t>(60), removed = none;
  std::vector<ou::Parameters> at{{std::log(0.15), std::log(100)},
                                 {std::log(0.15), std::log(100), std::log(0.03)},
                                 {std::log(1.0), std::log(3000), std::log(0.001)}};
  Sample() {
    curve.time[20] = curve.time[21];
    series = ou::series_of(curve);
    for (const std::size_t i : {0, 7, 8, 20, 59}) removed[i] = 1;
  }
};

}  // namespace

TEST_CASE("likelihoods with each treatment of the mean, without and with jitter, are dense ones") {
  const Sample s;
  for (const ou::Parameters& p : s.at) {
    const Dense dense(s.curve.time, s.series, p, s.none);
    for (const Mean mean : {Mean::Fixed, Mean::Profiled, Mean::Marginal}) {
      CHECK(ou::evaluate(s.series, p, mean, Want::Value).loglike ==
            Approx(dense.loglike(mean)).epsilon(1e-10));
      CHECK(ou::evaluate_all(s.series, std::vector{ou::Trial{p}}, mean, Want::Value)[0].loglike ==
            Approx(dense.loglike(mean)).epsilon(1e-10));
    }
  }
}

TEST_CASE("the gradient with a marginal mean is that of the likelihood") {
  const Sample s;
  const ou::Parameters p = s.at[1];
  const auto e = ou::evaluate(s.series, p, Mean::Marginal, Want::GradientWithJitter);
  const auto lanes = ou::evaluate_all(s.series, std::vector{ou::Trial{p}}, Mean::Marginal,
                                      Want::GradientWithJitter)[0];
  double ou::Parameters::*const members[] = {&ou::Parameters::ln_sigma, &ou::Parameters::ln_tau,
                                             &ou::Parameters::ln_jitter};
  for (std::size_t k = 0; k < 3; ++k) {
    ou::Parameters up = p, down = p;
    up.*members[k] += 1e-4;
    down.*members[k] -= 1e-4;
    const double slope = (Dense(s.curve.time, s.series, up, s.none).loglike(Mean::Marginal) -
                          Dense(s.curve.time, s.series, down, s.none).loglike(Mean::Marginal)) /
                         2e-4;
    CHECK(e.gradient[k] == Approx(slope).epsilon(1e-5).margin(1e-5));
    CHECK(lanes.gradient[k] == Approx(slope).epsilon(1e-5).margin(1e-5));
  }
}

TEST_CASE("predictions of every epoch are those of a Gaussian process without it") {
  const Sample s;
  for (const ou::Parameters& p : s.at) {
    for (const Mean mean : {Mean::Fixed, Mean::Profiled, Mean::Marginal}) {
      for (const auto& removed : {s.none, s.removed}) {
        const ou::LeaveOneOut loo = ou::leave_one_out(s.series, p, mean, removed);
        for (std::size_t j = 0; j < s.series.size(); ++j) {
          std::vector<std::uint8_t> left_out = removed;
          left_out[j] = 1;
          const auto expected =
              Dense(s.curve.time, s.series, p, left_out).predict(s.curve.time[j], mean);
          const double noise = s.series.var[j] + std::exp(2 * p.ln_jitter);
          INFO("epoch " << j << ", removed " << int{removed[j]});
          CHECK(loo.mean[j] == Approx(s.series.reference + expected.mean).epsilon(1e-10));
          CHECK(loo.var[j] == Approx(expected.var + noise).epsilon(1e-8));
        }
      }
    }
  }
}

TEST_CASE("the fitted curve is a Gaussian process's") {
  const Sample s;
  const std::vector<double> grid{0,   10,  11.5, 200,
                                 300, 900, 1700, 2500};  // d since the first epoch
  for (const ou::Parameters& p : s.at) {
    for (const Mean mean : {Mean::Fixed, Mean::Profiled, Mean::Marginal}) {
      const ou::Predicted got = ou::predict_at(s.series, s.removed, grid, p, mean);
      const Dense dense(s.curve.time, s.series, p, s.removed);
      REQUIRE(got.mean.size() == grid.size());
      for (std::size_t i = 0; i < grid.size(); ++i) {
        const auto expected = dense.predict(s.curve.time[0] + grid[i], mean);
        CHECK(got.mean[i] == Approx(s.series.reference + expected.mean).epsilon(1e-10));
        CHECK(got.var[i] == Approx(expected.var).epsilon(1e-7).margin(1e-12));
      }
    }
  }
}
