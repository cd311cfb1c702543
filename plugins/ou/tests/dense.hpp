// A Gaussian process with the covariance of the OU process, by dense algebra.
#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "ou_likelihood.hpp"

namespace dense {

// Of some epochs, at given parameters. Magnitudes are relative to the reference of the series.
class Process {
 public:
  // `time` of each epoch of the series, d; those with left_out[i] do not take part.
  Process(const std::vector<double>& time, const ou::Series& s, const ou::Parameters& p,
          const std::vector<std::uint8_t>& left_out)
      : at_(p) {
    std::vector<double> values, variances;
    for (std::size_t i = 0; i < s.size(); ++i) {
      if (left_out[i] != 0) continue;
      time_.push_back(time[i]);
      values.push_back(s.y[i]);
      variances.push_back(s.var[i] + std::exp(2 * p.ln_jitter));
    }
    const auto n = static_cast<Eigen::Index>(time_.size());
    y_ = Eigen::Map<Eigen::VectorXd>(values.data(), n);
    ones_ = Eigen::VectorXd::Ones(n);
    Eigen::MatrixXd k(n, n);
    for (Eigen::Index i = 0; i < n; ++i) k.col(i) = covariance(time_[static_cast<std::size_t>(i)]);
    k.diagonal() += Eigen::Map<Eigen::VectorXd>(variances.data(), n);
    llt_.compute(k);
    weight_ = ones_.dot(llt_.solve(ones_));
  }

  double loglike(ou::Mean mean) const {
    const Eigen::VectorXd r = y_ - level(mean) * ones_;
    const Eigen::MatrixXd l = llt_.matrixL();
    double out = -0.5 * r.dot(llt_.solve(r)) - l.diagonal().array().log().sum() -
                 0.5 * static_cast<double>(y_.size()) * std::log(2 * std::numbers::pi);
    if (mean == ou::Mean::Marginal) out += 0.5 * std::log(2 * std::numbers::pi / weight_);
    return out;
  }

  struct Predicted {
    double mean, var;  // of the process, without noise
  };
  Predicted predict(double time, ou::Mean mean) const {
    const Eigen::VectorXd c = covariance(time), solved = llt_.solve(c);
    const double missing = 1 - solved.sum();
    const double of_level = mean == ou::Mean::Fixed ? 0 : missing * missing / weight_;
    return {level(mean) + solved.dot(y_ - level(mean) * ones_),
            std::exp(2 * at_.ln_sigma) - c.dot(solved) + of_level};
  }

 private:
  double level(ou::Mean mean) const {
    return mean == ou::Mean::Fixed ? 0 : ones_.dot(llt_.solve(y_)) / weight_;
  }
  // Of the process at `time` with it at the epochs.
  Eigen::VectorXd covariance(double time) const {
    Eigen::VectorXd c(static_cast<Eigen::Index>(time_.size()));
    for (std::size_t i = 0; i < time_.size(); ++i)
      c[static_cast<Eigen::Index>(i)] =
          std::exp(2 * at_.ln_sigma - std::abs(time_[i] - time) / std::exp(at_.ln_tau));
    return c;
  }

  ou::Parameters at_;
  std::vector<double> time_;
  Eigen::VectorXd y_, ones_;
  Eigen::LLT<Eigen::MatrixXd> llt_;
  double weight_ = 0;  // 1' K^-1 1
};

}  // namespace dense
