#include "multiband_lags.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ou::multiband {
namespace {

constexpr double kWidestStep = 0.5, kShortestStep = 0.1;  // d, of the first scan
constexpr double kFinestStep = 2e-4;                      // d
constexpr int kParts = 8;                                 // of a step, in the next finer scan
constexpr std::size_t kMostPeaks = 3;                     // that are scanned finer
constexpr int kMostAlternations = 3;
constexpr double kLeastGain = 0.01;  // log-likelihood
constexpr double kFall = 0.5;        // log-likelihood, from the top to the ends of the interval

using Bands = std::vector<std::size_t>;

struct Sample {
  double lag, loglike;
};

// The lags of some bands together, everything else as it is.
class Scan {
 public:
  Scan(const Series& series, const Model& model, Bands bands, double step)
      : series_(series), model_(model), bands_(std::move(bands)), step_(step) {}

  const Bands& bands() const { return bands_; }

  Sample highest(const Parameters& place) const {
    std::vector<Sample> samples = coarse(place);
    for (double step = step_;; step /= kParts) {
      const std::vector<Sample> peaks = highest_peaks(samples);
      if (step < kFinestStep) return peaks.front();
      std::vector<double> lags;
      for (const Sample& p : peaks)
        for (int k = -kParts; k <= kParts; ++k) lags.push_back(p.lag + k * step / kParts);
      samples = sample(place, std::move(lags));
    }
  }

  // From the lowest to the highest lag of at least this likelihood, also if it falls below between.
  LagInterval interval(const Parameters& place, double least_loglike) const {
    const std::vector<Sample> samples = coarse(place);
    const double lag = place.lag[bands_.front()];
    const auto counts = [&](const Sample& s) { return s.lag == lag || s.loglike >= least_loglike; };
    const auto first = std::ranges::find_if(samples, counts);
    const auto last = std::find_if(samples.rbegin(), samples.rend(), counts);
    const double before = first == samples.begin() ? first->lag : (first - 1)->lag;
    const double after = last == samples.rbegin() ? last->lag : (last - 1)->lag;
    return {end(place, first->lag, before, least_loglike),
            end(place, last->lag, after, least_loglike)};
  }

 private:
  // In ascending order of lags; those outside the bounds count as on the bound.
  std::vector<Sample> sample(const Parameters& place, std::vector<double> lags) const {
    for (double& lag : lags) lag = std::clamp(lag, model_.lag_min, model_.lag_max);
    std::ranges::sort(lags);
    lags.erase(std::unique(lags.begin(), lags.end()), lags.end());
    std::vector<Parameters> trials(lags.size(), place);
    for (std::size_t i = 0; i < lags.size(); ++i)
      for (const std::size_t b : bands_) trials[i].lag[b] = lags[i];
    const auto found = evaluate_all(series_, trials, model_.mean, Want::Value);
    std::vector<Sample> out;
    for (std::size_t i = 0; i < lags.size(); ++i) out.push_back({lags[i], found[i].loglike});
    return out;
  }

  // All lags; also 0, where epochs of the same moment meet, and the present one.
  std::vector<Sample> coarse(const Parameters& place) const {
    std::vector<double> lags{0, place.lag[bands_.front()]};
    const double range = model_.lag_max - model_.lag_min;
    const int steps = std::max(1, static_cast<int>(std::ceil(range / step_)));
    for (int i = 0; i <= steps; ++i) lags.push_back(model_.lag_min + range * i / steps);
    return sample(place, std::move(lags));
  }

  static std::vector<Sample> highest_peaks(const std::vector<Sample>& f) {
    std::vector<Sample> out;
    for (std::size_t i = 0; i < f.size(); ++i) {
      if ((i == 0 || !is_lower(f[i].loglike, f[i - 1].loglike)) &&
          (i + 1 == f.size() || is_lower(f[i + 1].loglike, f[i].loglike)))
        out.push_back(f[i]);
    }
    std::ranges::stable_sort(
        out, [](const Sample& a, const Sample& b) { return is_lower(b.loglike, a.loglike); });
    if (out.size() > kMostPeaks) out.resize(kMostPeaks);
    return out;
  }

  // Between `inside`, which counts, and `outside`, which does not (or is the same: a bound).
  double end(const Parameters& place, double inside, double outside, double least_loglike) const {
    while (std::abs(outside - inside) > kFinestStep) {
      std::vector<double> lags;
      for (int k = 1; k < kParts; ++k) lags.push_back(inside + (outside - inside) * k / kParts);
      std::vector<Sample> samples = sample(place, std::move(lags));
      if (outside < inside) std::ranges::reverse(samples);
      const auto last = std::find_if(samples.rbegin(), samples.rend(),
                                     [&](const Sample& s) { return s.loglike >= least_loglike; });
      if (last != samples.rbegin()) outside = (last - 1)->lag;
      if (last != samples.rend()) inside = last->lag;
    }
    return inside;
  }

  const Series& series_;
  const Model& model_;
  Bands bands_;
  double step_;
};

// The median time between epochs of the two bands, within limits.
double step_for(const Series& series, const Lagged& lagged) {
  std::vector<double> dt;
  double last = std::numeric_limits<double>::quiet_NaN();
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (series.band[i] != lagged.band && series.band[i] != lagged.reference) continue;
    if (series.time[i] > last) dt.push_back(series.time[i] - last);
    last = series.time[i];
  }
  if (dt.empty()) return kWidestStep;
  const auto middle = dt.begin() + static_cast<std::ptrdiff_t>(dt.size() / 2);
  std::ranges::nth_element(dt, middle);
  return std::clamp(*middle, kShortestStep, kWidestStep);
}

// Each band alone; before that, all bands with the same reference together, because two bands that
// lag alike hold each other back.
std::vector<Scan> scans_of(const Series& series, const Model& model) {
  std::vector<Scan> together, alone;
  for (const Lagged& l : model.lagged) {
    const double step = step_for(series, l);
    alone.emplace_back(series, model, Bands{l.band}, step);
    Bands same;
    for (const Lagged& other : model.lagged)
      if (other.reference == l.reference) same.push_back(other.band);
    if (same.size() > 1 && same.front() == l.band) together.emplace_back(series, model, same, step);
  }
  for (const Scan& scan : alone) together.push_back(scan);
  return together;
}

}  // namespace

Fit fit_with_lags(const Series& series, const Model& model) {
  Fit fit = fit_global(series, model);
  if (model.lagged.empty()) return fit;
  const std::vector<Scan> scans = scans_of(series, model);
  for (int round = 0; round < kMostAlternations && fit.converged; ++round) {
    Parameters best = fit.at;
    double loglike = fit.value.loglike;
    for (const Scan& scan : scans) {
      const Sample found = scan.highest(best);
      if (!(found.loglike > loglike)) continue;
      loglike = found.loglike;
      for (const std::size_t b : scan.bands()) best.lag[b] = found.lag;
    }
    if (!(loglike > fit.value.loglike + kLeastGain)) break;
    Model there = model;
    there.lag = best.lag;
    fit = fit_global(series, there, {&best, 1});
  }
  if (!fit.converged) return fit;
  for (const Lagged& l : model.lagged)
    fit.lag_interval[l.band] = Scan(series, model, {l.band}, step_for(series, l))
                                   .interval(fit.at, fit.value.loglike - kFall);
  return fit;
}

}  // namespace ou::multiband
