#include "bootstrap.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "functions.hpp"
#include "pairs.hpp"

namespace sf {
namespace {

constexpr std::size_t kLanes = 16, kReplicates = 4 * kLanes;
// Of all bins together. Neighbouring pairs tell the same, so that more would change little.
constexpr std::size_t kPairs = 48 * 1024, kPairsIqr = 6 * 1024, kLeastPairs = 64;

using Lanes = std::array<float, kLanes>;  // of as many replicates

// About normal, of variance 1: how many of 64 random bits are 1. Cheaper than a logarithm and a
// cosine, which would take as long as all the pairs.
class Deviates {
 public:
  explicit Deviates(std::span<const double> seed) {
    for (const double x : seed) state_ = mixed(state_ ^ std::bit_cast<std::uint64_t>(x));
  }
  Lanes next() {
    Lanes lanes;
    for (float& lane : lanes) {
      state_ += kStep;
      lane = 0.25F * static_cast<float>(std::popcount(mixed(state_)) - 32);
    }
    return lanes;
  }

 private:
  // SplitMix64 (Steele, Lea & Flood 2014).
  static constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15;
  static std::uint64_t mixed(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::uint64_t state_ = kStep;
};

// One good bin and the pairs of it that replicates use.
struct Sample {
  Bin bin;
  std::size_t stride = 1;  // each of these many pairs
  std::size_t seen = 0;
  std::vector<std::array<std::uint32_t, 2>> pairs{};
  double noise = 0;  // mag^2, <e_i^2 + e_j^2> of these pairs
};

std::vector<Sample> sample_pairs(std::span<const double> time, std::span<const double> mag_err,
                                 std::span<const double> edges, Estimator estimator,
                                 std::span<const Bin> bins) {
  const std::size_t all = estimator == Estimator::Iqr ? kPairsIqr : kPairs;
  const std::size_t room = std::max(kLeastPairs, all / bins.size());
  std::vector<Sample> samples;
  std::vector<Sample*> of_bin(bins.size());
  samples.reserve(bins.size());
  for (std::size_t k = 0; k < bins.size(); ++k) {
    if (!is_good(bins[k])) continue;
    samples.push_back({.bin = bins[k], .stride = (bins[k].pairs + room - 1) / room});
    of_bin[k] = &samples.back();
  }
  const auto take = [&](std::size_t k, std::size_t i, std::size_t j, double /*lag*/) {
    Sample* s = of_bin[k];
    if (s == nullptr || s->seen++ % s->stride != 0) return;
    s->pairs.push_back({static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(j)});
    s->noise += mag_err[i] * mag_err[i] + mag_err[j] * mag_err[j];
  };
  for_each_pair(
      time, edges, [] { return false; }, take);
  for (Sample& s : samples) s.noise /= static_cast<double>(s.pairs.size());
  return samples;
}

// The damped random walk that replicates follow. The errors of a bin are those of the function that
// is fitted, over the root of its number of independent lags: the bins' own errors, which are small
// where SF^2 happens to be small, make sf_inf and tau too small, and the replicates too quiet.
SaturationGrid::Found fit_walk(std::span<const Sample> samples, const SaturationGrid& grid,
                               double baseline) {
  std::vector<double> values, errors;
  const auto root = [&](const Bin& bin) {
    return std::sqrt(std::min(static_cast<double>(bin.pairs), baseline / bin.lag));
  };
  for (const Sample& s : samples) {
    values.push_back(s.bin.sf2);
    errors.push_back(1 / root(s.bin));
  }
  SaturationGrid::Found walk{};
  for (int round = 0; round < 5; ++round) {
    walk = grid.fit(values, errors);
    for (std::size_t k = 0; k < samples.size(); ++k) {
      const Bin& bin = samples[k].bin;
      const double sf2 = walk.sf2 * -std::expm1(-bin.lag / std::exp(walk.ln_tau));
      errors[k] = (sf2 + bin.noise) / root(bin);
    }
  }
  return walk;
}

std::vector<Lanes> simulate(const SaturationGrid::Found& walk, std::span<const double> time,
                            std::span<const double> mag_err, Deviates& deviates) {
  const double sigma = std::sqrt(walk.sf2 / 2), tau = std::exp(walk.ln_tau);
  std::vector<Lanes> out;
  out.reserve(time.size());
  Lanes signal{};
  for (std::size_t i = 0; i < time.size(); ++i) {
    const double steps =
        i == 0 ? std::numeric_limits<double>::infinity() : (time[i] - time[i - 1]) / tau;
    const auto kept = static_cast<float>(std::exp(-steps));
    const auto added = static_cast<float>(sigma * std::sqrt(-std::expm1(-2 * steps)));
    const auto noise = static_cast<float>(mag_err[i]);
    const Lanes step = deviates.next(), error = deviates.next();
    Lanes mag{};
    for (std::size_t r = 0; r < kLanes; ++r) {
      signal[r] = kept * signal[r] + added * step[r];
      mag[r] = signal[r] + noise * error[r];
    }
    out.push_back(mag);
  }
  return out;
}

// <dm^2> of each replicate over the pairs.
Lanes mean_squares(const Sample& sample, std::span<const Lanes> mags) {
  Lanes sums{};
  for (const auto& [i, j] : sample.pairs) {
    const Lanes &a = mags[i], &b = mags[j];
    for (std::size_t r = 0; r < kLanes; ++r) sums[r] += (b[r] - a[r]) * (b[r] - a[r]);
  }
  for (float& sum : sums) sum /= static_cast<float>(sample.pairs.size());
  return sums;
}

// (0.7413 IQR(dm))^2 of each replicate.
Lanes squares_of_iqr(const Sample& sample, std::span<const Lanes> mags) {
  Lanes squares{};
  std::vector<float> differences(sample.pairs.size());
  for (std::size_t r = 0; r < kLanes; ++r) {
    std::ranges::transform(sample.pairs, differences.begin(),
                           [&](const auto& p) { return mags[p[1]][r] - mags[p[0]][r]; });
    const auto quarter = static_cast<std::ptrdiff_t>(differences.size() / 4);
    const auto low = differences.begin() + quarter, high = differences.end() - 1 - quarter;
    std::ranges::nth_element(differences, low);
    if (low < high) std::nth_element(low + 1, high, differences.end());
    const float sigma = static_cast<float>(kSigmaPerIqr) * (*high - *low);
    squares[r] = sigma * sigma;
  }
  return squares;
}

// Half the range from the 16th to the 84th percentile of those that are finite.
double half_range(std::vector<double>& values) {
  std::erase_if(values, [](double x) { return !std::isfinite(x); });
  if (2 * values.size() < kReplicates) return kNaN;
  std::ranges::sort(values);
  const auto at = [&](double part) {
    return values[static_cast<std::size_t>(
        std::lround(part * static_cast<double>(values.size() - 1)))];
  };
  return (at(0.84) - at(0.16)) / 2;
}

// The results of all replicates.
struct Spread {
  std::vector<double> amplitude{}, slope{}, sf_inf{}, ln_tau{};
  void add(std::span<const Bin> bins, const SaturationGrid& grid) {
    if (const auto law = fit_power_law(bins)) {
      amplitude.push_back(law->amplitude);
      slope.push_back(law->slope);
    }
    std::vector<double> values, errors;
    for (const Bin& bin : bins) {
      values.push_back(bin.sf2);
      errors.push_back(bin.sf2_err);
    }
    const auto found = grid.fit(values, errors);
    if (!(found.sf2 > 0)) return;
    sf_inf.push_back(std::sqrt(found.sf2));
    ln_tau.push_back(found.ln_tau);
  }
};

}  // namespace

Errors bootstrap_errors(std::span<const double> time, std::span<const double> mag,
                        std::span<const double> mag_err, std::span<const double> edges,
                        Estimator estimator, std::span<const Bin> bins) {
  const auto samples = sample_pairs(time, mag_err, edges, estimator, bins);
  if (samples.size() < 2) return {kNaN, kNaN, kNaN, kNaN};
  std::vector<double> lags;
  for (const Sample& s : samples) lags.push_back(s.bin.lag);
  const SaturationGrid grid(lags);
  const auto walk = fit_walk(samples, grid, time.back() - time.front());
  Deviates deviates(mag);
  Spread spread;
  for (std::size_t block = 0; block < kReplicates / kLanes; ++block) {
    const auto mags = simulate(walk, time, mag_err, deviates);
    std::vector<std::vector<Bin>> replicates(kLanes);
    for (const Sample& s : samples) {
      const Lanes squares =
          estimator == Estimator::Iqr ? squares_of_iqr(s, mags) : mean_squares(s, mags);
      // The ratio of error to <dm^2> is that of the light curve's own bin.
      const double ratio = s.bin.sf2_err / (s.bin.sf2 + s.bin.noise);
      for (std::size_t r = 0; r < kLanes; ++r) {
        const auto square = static_cast<double>(squares[r]);
        replicates[r].push_back({s.bin.pairs, s.bin.lag, square - s.noise, ratio * square});
      }
    }
    for (const auto& replicate : replicates) spread.add(replicate, grid);
  }
  return {half_range(spread.amplitude), half_range(spread.slope), half_range(spread.sf_inf),
          half_range(spread.ln_tau)};
}

}  // namespace sf
