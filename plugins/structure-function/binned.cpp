#include "binned.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "pairs.hpp"
#include "quartiles.hpp"

namespace sf {
namespace {

constexpr double kErrorOfIqr = 1.1664;  // of sigma from the IQR, times sqrt(n) / sigma

// The sums over the pairs of a bin. x is dm^2 - e_i^2 - e_j^2.
struct Sums {
  std::size_t n = 0;
  double lag = 0, x = 0, xx = 0, noise = 0;
};

// `range`: between the quartiles, if the estimator needs it.
Bin finished(const Sums& sums, double middle, std::optional<double> range, std::size_t min_pairs) {
  const auto n = static_cast<double>(sums.n);
  Bin bin{sums.n, sums.n == 0 ? middle : sums.lag / n, kNaN, kNaN, kNaN};
  if (sums.n < min_pairs) return bin;
  bin.noise = sums.noise / n;
  if (!range) {
    bin.sf2 = sums.x / n;
    const double variance = std::max(0.0, sums.xx / n - bin.sf2 * bin.sf2) * n / (n - 1);
    bin.sf2_err = std::sqrt(variance / n);
  } else {
    const double sigma = kSigmaPerIqr * *range;
    bin.sf2 = sigma * sigma - bin.noise;
    bin.sf2_err = 2 * kErrorOfIqr * sigma * sigma / std::sqrt(n);
  }
  return bin;
}

}  // namespace

std::vector<double> edges_between(double lag_min, double lag_max, std::size_t bins) {
  std::vector<double> edges;
  for (std::size_t k = 0; k <= bins; ++k) {
    const double part = static_cast<double>(k) / static_cast<double>(bins);
    edges.push_back(lag_min * std::pow(lag_max / lag_min, part));
  }
  return edges;
}

std::vector<Bin> bin_pairs(std::span<const double> time, std::span<const double> mag,
                           std::span<const double> mag_err, std::span<const double> edges,
                           Estimator estimator, std::size_t min_pairs,
                           const std::function<bool()>& stop_requested) {
  min_pairs = std::max<std::size_t>(2, min_pairs);
  std::vector<Sums> sums(edges.size() - 1);
  const auto add_up = [&](std::size_t k, std::size_t i, std::size_t j, double lag) {
    Sums& s = sums[k];
    const double difference = mag[j] - mag[i];
    const double noise = mag_err[i] * mag_err[i] + mag_err[j] * mag_err[j];
    const double x = difference * difference - noise;
    ++s.n;
    s.lag += lag;
    s.x += x;
    s.xx += x * x;
    s.noise += noise;
  };
  if (!for_each_pair(time, edges, stop_requested, add_up)) return {};
  std::optional<Quartiles> quartiles;
  if (estimator == Estimator::Iqr) {
    std::vector<std::size_t> numbers;
    for (const Sums& s : sums) numbers.push_back(s.n < min_pairs ? 0 : s.n);
    quartiles.emplace(numbers);
    const auto add = [&](std::size_t k, std::size_t i, std::size_t j, double /*lag*/) {
      quartiles->add(k, mag[j] - mag[i]);
    };
    while (quartiles->need_sweep()) {
      if (!for_each_pair(time, edges, stop_requested, add)) return {};
      quartiles->end_sweep();
    }
  }
  std::vector<Bin> out;
  for (std::size_t k = 0; k < sums.size(); ++k) {
    const auto range = quartiles ? std::optional(quartiles->range(k)) : std::nullopt;
    out.push_back(finished(sums[k], std::sqrt(edges[k] * edges[k + 1]), range, min_pairs));
  }
  return out;
}

}  // namespace sf
