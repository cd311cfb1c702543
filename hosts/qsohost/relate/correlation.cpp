#include "relate/correlation.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <vector>

namespace qsohost::cli {
namespace {

std::vector<double> ranks_of(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return values[i]; });
  std::vector<double> ranks(values.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double rank = static_cast<double>(begin + end - 1) / 2;
    for (; begin < end; ++begin) ranks[order[begin]] = rank;
  }
  return ranks;
}

double pearson(const std::vector<double>& a, const std::vector<double>& b) {
  const double n = static_cast<double>(a.size());
  const double a_mean = std::accumulate(a.begin(), a.end(), 0.0) / n;
  const double b_mean = std::accumulate(b.begin(), b.end(), 0.0) / n;
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - a_mean) * (b[i] - b_mean);
    aa += (a[i] - a_mean) * (a[i] - a_mean);
    bb += (b[i] - b_mean) * (b[i] - b_mean);
  }
  return ab / std::sqrt(aa * bb);
}

}  // namespace

Correlation rank_correlation(std::span<const double> x, std::span<const double> y,
                             std::span<const double> z) {
  const std::vector<double> rx = ranks_of(x), ry = ranks_of(y), rz = ranks_of(z);
  const double xy = pearson(rx, ry), xz = pearson(rx, rz), yz = pearson(ry, rz);
  const double left = (1 - xz * xz) * (1 - yz * yz);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  return {xy, left > 1e-9 ? (xy - xz * yz) / std::sqrt(left) : nan};
}

}  // namespace qsohost::cli
