#include "dho_likelihood.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace dho {

Series make_series(std::span<const double> time, std::span<const double> mag,
                   std::span<const double> mag_err) {
  Series series;
  std::vector<double> sorted(mag.begin(), mag.end());
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  series.reference = *middle;
  if (sorted.size() % 2 == 0)
    series.reference = (*middle + *std::max_element(sorted.begin(), middle)) / 2;
  for (std::size_t i = 0; i < time.size(); ++i) {
    series.dt.push_back(i == 0 ? 0 : time[i] - time[i - 1]);
    series.y.push_back(mag[i] - series.reference);
    series.var.push_back(mag_err[i] * mag_err[i]);
  }
  return series;
}

Evaluation evaluate(const Series& series, const Trial& trial, Mean mean, Want want) {
  return evaluate_all(series, {&trial, 1}, mean, want).front();
}

double loglike_of_constant(const Series& series, Mean mean) {
  double weight = 0, sum = 0;
  for (std::size_t i = 0; i < series.size(); ++i) {
    weight += 1 / series.var[i];
    sum += series.y[i] / series.var[i];
  }
  double twice = mean == Mean::Marginal ? std::log(weight / (2 * std::numbers::pi)) : 0;
  for (std::size_t i = 0; i < series.size(); ++i) {
    const double residual = series.y[i] - sum / weight;
    twice += residual * residual / series.var[i] + std::log(2 * std::numbers::pi * series.var[i]);
  }
  return -twice / 2;
}

}  // namespace dho
