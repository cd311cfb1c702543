#include <algorithm>
#include <cmath>
#include <limits>

#include "report/ensemble_sf.hpp"

namespace qsohost::cli {

double drw_sf_squared(double sigma, double tau, double lag) {
  return -2 * sigma * sigma * std::expm1(-lag / tau);
}

void EnsembleSf::add(const LightCurve& curve, std::size_t object) {
  static const std::array<double, kBins + 1> edges = [] {
    std::array<double, kBins + 1> out{};
    for (std::size_t i = 0; i <= kBins; ++i) out[i] = std::pow(10, 0.2 * static_cast<double>(i));
    return out;
  }();
  std::array<double, kBins> sum{}, count{};
  for (std::size_t i = 0; i < curve.size(); ++i) {
    std::size_t bin = 0;  // lags grow with j, so the bin of the last pair is where to go on
    for (std::size_t j = i + 1; j < curve.size(); ++j) {
      const double lag = curve.time[j] - curve.time[i];
      if (lag < edges[0]) continue;
      while (bin < kBins && lag >= edges[bin + 1]) ++bin;
      if (bin == kBins) break;
      const double dm = curve.mag[j] - curve.mag[i];
      sum[bin] +=
          dm * dm - curve.mag_err[i] * curve.mag_err[i] - curve.mag_err[j] * curve.mag_err[j];
      ++count[bin];
      lag_sum_[bin] += lag;
    }
  }
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    if (count[bin] == 0) continue;
    Sum& to = sums_[bin][object % kParts];
    to.sf_squared += sum[bin] / count[bin];
    ++to.objects;
    lag_pairs_[bin] += count[bin];
    pairs_ += static_cast<std::uint64_t>(count[bin]);
  }
}

SfPoint EnsembleSf::point(std::size_t bin) const {
  Sum all;
  double parts = 0;
  for (const Sum& part : sums_[bin]) {
    all.sf_squared += part.sf_squared;
    all.objects += part.objects;
    parts += part.objects > 0 ? 1 : 0;
  }
  const double mean = all.sf_squared / all.objects;
  double variance = 0;
  for (const Sum& part : sums_[bin]) {
    if (part.objects == 0 || part.objects == all.objects) continue;
    const double without = (all.sf_squared - part.sf_squared) / (all.objects - part.objects) - mean;
    variance += without * without;
  }
  variance *= (parts - 1) / parts;
  const double sf = mean > 0 ? std::sqrt(mean) : std::numeric_limits<double>::quiet_NaN();
  const double error =
      parts > 1 ? std::sqrt(variance) / (2 * sf) : std::numeric_limits<double>::quiet_NaN();
  return {lag_sum_[bin] / lag_pairs_[bin], sf, error};
}

std::vector<SfPoint> EnsembleSf::points() const {
  static constexpr double kLeastObjects = 5;
  std::vector<SfPoint> out;
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    double objects = 0;
    for (const Sum& part : sums_[bin]) objects += part.objects;
    if (objects < kLeastObjects) continue;
    if (const SfPoint p = point(bin); std::isfinite(p.sf)) out.push_back(p);
  }
  return out;
}

}  // namespace qsohost::cli
