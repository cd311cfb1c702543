#include "binned.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "quartiles.hpp"

namespace sf {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kYear = 365.25;              // d
constexpr double kSigmaPerIqr = 0.741301109;  // of a normal distribution
constexpr double kErrorOfIqr = 1.1664;        // of sigma from the IQR, times sqrt(n) / sigma

// The sums over the pairs of a bin. x is dm^2 - e_i^2 - e_j^2.
struct Sums {
  std::size_t n = 0;
  double lag = 0, x = 0, xx = 0, noise = 0;
};

// Calls `add(bin, i, j, lag)` for each pair; false if it was stopped.
template <class Add>
bool for_each_pair(std::span<const double> time, std::span<const double> edges,
                   const std::function<bool()>& stop_requested, const Add& add) {
  const std::size_t bins = edges.size() - 1;
  for (std::size_t i = 0; i < time.size(); ++i) {
    if (stop_requested()) return false;
    std::size_t k = 0;  // lags ascend with j, and so do their bins
    for (std::size_t j = i + 1; j < time.size(); ++j) {
      const double lag = time[j] - time[i];
      if (lag < edges[0]) continue;
      while (k < bins && lag >= edges[k + 1]) ++k;
      if (k == bins) break;
      add(k, i, j, lag);
    }
  }
  return true;
}

// `range`: between the quartiles, if the estimator needs it.
Bin finished(const Sums& sums, double middle, std::optional<double> range, std::size_t min_pairs) {
  const auto n = static_cast<double>(sums.n);
  Bin bin{sums.n, sums.n == 0 ? middle : sums.lag / n, kNaN, kNaN};
  if (sums.n < min_pairs) return bin;
  if (!range) {
    bin.sf2 = sums.x / n;
    const double variance = std::max(0.0, sums.xx / n - bin.sf2 * bin.sf2) * n / (n - 1);
    bin.sf2_err = std::sqrt(variance / n);
  } else {
    const double sigma = kSigmaPerIqr * *range;
    bin.sf2 = sigma * sigma - sums.noise / n;
    bin.sf2_err = 2 * kErrorOfIqr * sigma * sigma / std::sqrt(n);
  }
  return bin;
}

bool is_good(const Bin& bin) {
  return std::isfinite(bin.sf2) && bin.sf2_err > 0;
}

// The best sf_inf^2 at this tau, and chi^2 with it.
std::pair<double, double> saturation_at(std::span<const Bin> bins, double ln_tau) {
  double ff = 0, fy = 0, yy = 0;
  for (const Bin& bin : bins) {
    const double f = -std::expm1(-bin.lag / std::exp(ln_tau)) / bin.sf2_err;
    const double y = bin.sf2 / bin.sf2_err;
    ff += f * f;
    fy += f * y;
    yy += y * y;
  }
  const double best = std::max(0.0, fy / ff);
  return {best, yy - 2 * best * fy + best * best * ff};
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

std::optional<PowerLaw> fit_power_law(std::span<const Bin> bins) {
  double w = 0, wx = 0, wy = 0, wxx = 0, wxy = 0;
  int n = 0;
  for (const Bin& bin : bins) {
    if (!is_good(bin) || bin.sf2 <= 0) continue;
    const double x = std::log(bin.lag / kYear), y = std::log(bin.sf2) / 2;
    const double error = bin.sf2_err / (2 * bin.sf2), weight = 1 / (error * error);
    w += weight;
    wx += weight * x;
    wy += weight * y;
    wxx += weight * x * x;
    wxy += weight * x * y;
    ++n;
  }
  const double determinant = w * wxx - wx * wx;
  if (n < 2 || !(determinant > 0)) return std::nullopt;
  const double slope = (w * wxy - wx * wy) / determinant;
  const double amplitude = std::exp((wy - slope * wx) / w);
  return PowerLaw{amplitude, slope, amplitude * std::sqrt(wxx / determinant),
                  std::sqrt(w / determinant)};
}

std::optional<Saturation> fit_saturation(std::span<const Bin> all) {
  std::vector<Bin> bins;
  std::ranges::copy_if(all, std::back_inserter(bins), is_good);
  if (bins.size() < 3) return std::nullopt;
  const double low = std::log(bins.front().lag / 3), high = std::log(10 * bins.back().lag);
  constexpr int kNodes = 60;
  const double step = (high - low) / kNodes;
  const auto chi2 = [&](double ln_tau) { return saturation_at(bins, ln_tau).second; };
  int best = 0;
  for (int k = 1; k <= kNodes; ++k) {
    if (chi2(low + k * step) < chi2(low + best * step)) best = k;
  }
  double a = low + std::max(0, best - 1) * step, b = low + std::min(kNodes, best + 1) * step;
  for (int round = 0; round < 60; ++round) {  // by ternary search
    const double p = a + (b - a) / 3, q = b - (b - a) / 3;
    (chi2(p) <= chi2(q) ? b : a) = chi2(p) <= chi2(q) ? q : p;
  }
  const double ln_tau = (a + b) / 2;
  const double sf2 = saturation_at(bins, ln_tau).first;
  if (!(sf2 > 0)) return std::nullopt;
  return Saturation{std::sqrt(sf2), ln_tau, ln_tau - low < 1e-6 || high - ln_tau < 1e-6};
}

}  // namespace sf
