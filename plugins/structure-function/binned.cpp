#include "binned.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace sf {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kYear = 365.25;              // d
constexpr double kSigmaPerIqr = 0.741301109;  // of a normal distribution
constexpr double kErrorOfIqr = 1.1664;        // of sigma from the IQR, times sqrt(n) / sigma

// What is gathered of the pairs of a bin. x is dm^2 - e_i^2 - e_j^2.
struct Sums {
  std::size_t n = 0;
  double lag = 0, x = 0, xx = 0, noise = 0;
  std::vector<double> differences;  // for the IQR only
};

// At a fraction of the sorted values, with linear interpolation.
double quantile(std::vector<double>& values, double fraction) {
  const double place = fraction * static_cast<double>(values.size() - 1);
  const auto below = values.begin() + static_cast<std::ptrdiff_t>(place);
  std::nth_element(values.begin(), below, values.end());
  const double rest = place - std::floor(place);
  if (rest == 0) return *below;
  return *below + rest * (*std::min_element(below + 1, values.end()) - *below);
}

Bin finished(Sums& sums, double middle, Estimator estimator, std::size_t min_pairs) {
  const auto n = static_cast<double>(sums.n);
  Bin bin{sums.n, sums.n == 0 ? middle : sums.lag / n, kNaN, kNaN};
  if (sums.n < std::max<std::size_t>(2, min_pairs)) return bin;
  if (estimator == Estimator::MeanSquare) {
    bin.sf2 = sums.x / n;
    const double variance = std::max(0.0, sums.xx / n - bin.sf2 * bin.sf2) * n / (n - 1);
    bin.sf2_err = std::sqrt(variance / n);
  } else {
    const double sigma =
        kSigmaPerIqr * (quantile(sums.differences, 0.75) - quantile(sums.differences, 0.25));
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
                           Estimator estimator, std::size_t min_pairs) {
  const std::size_t bins = edges.size() - 1;
  std::vector<Sums> sums(bins);
  for (std::size_t i = 0; i < time.size(); ++i) {
    std::size_t k = 0;  // lags ascend with j, and so do their bins
    for (std::size_t j = i + 1; j < time.size(); ++j) {
      const double lag = time[j] - time[i];
      if (lag < edges[0]) continue;
      while (k < bins && lag >= edges[k + 1]) ++k;
      if (k == bins) break;
      Sums& s = sums[k];
      const double difference = mag[j] - mag[i];
      const double noise = mag_err[i] * mag_err[i] + mag_err[j] * mag_err[j];
      const double x = difference * difference - noise;
      ++s.n;
      s.lag += lag;
      s.x += x;
      s.xx += x * x;
      s.noise += noise;
      if (estimator == Estimator::Iqr) s.differences.push_back(difference);
    }
  }
  std::vector<Bin> out;
  for (std::size_t k = 0; k < bins; ++k)
    out.push_back(finished(sums[k], std::sqrt(edges[k] * edges[k + 1]), estimator, min_pairs));
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
  for (int round = 0; round < 60; ++round) {  // by thirds
    const double p = a + (b - a) / 3, q = b - (b - a) / 3;
    (chi2(p) <= chi2(q) ? b : a) = chi2(p) <= chi2(q) ? q : p;
  }
  const double ln_tau = (a + b) / 2;
  const double sf2 = saturation_at(bins, ln_tau).first;
  if (!(sf2 > 0)) return std::nullopt;
  return Saturation{std::sqrt(sf2), ln_tau, ln_tau - low < 1e-6 || high - ln_tau < 1e-6};
}

}  // namespace sf
