// Light curves of damped random walks with known parameters, observed in seasons.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <random>
#include <vector>

#include "binned.hpp"
#include "bootstrap.hpp"
#include "functions.hpp"

namespace simulate {

// Own generators, because distributions differ between standard libraries.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  double uniform() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  double normal() {
    const double r = std::sqrt(-2 * std::log(1 - uniform()));
    return r * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  std::mt19937_64 engine_;
};

struct Walk {
  std::size_t epochs;
  double tau, baseline;  // d
  double sigma, error;   // mag; errors differ from epoch to epoch by a factor of 2
};

struct Curve {
  std::vector<double> time, mag, mag_err;
};

inline Curve curve(const Walk& walk, std::uint64_t seed) {
  Random random(seed);
  Curve c;
  while (c.time.size() < walk.epochs) {
    const double t = walk.baseline * random.uniform();
    if (std::fmod(t, 365.25) < 240) c.time.push_back(t);
  }
  std::ranges::sort(c.time);
  double signal = 0;
  for (std::size_t i = 0; i < walk.epochs; ++i) {
    const double kept = i == 0 ? 0 : std::exp((c.time[i - 1] - c.time[i]) / walk.tau);
    signal = kept * signal + walk.sigma * std::sqrt(1 - kept * kept) * random.normal();
    c.mag_err.push_back(walk.error * (0.7 + 0.7 * random.uniform()));
    c.mag.push_back(18 + signal + c.mag_err.back() * random.normal());
  }
  return c;
}

struct Results {
  double slope, amplitude, sf_inf, ln_tau;  // NaN for none
  sf::Errors errors;
};

// As the stage with the usual options.
inline Results fitted(const Curve& c, sf::Estimator estimator) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  const auto edges = sf::edges_between(1, 3000, 12);
  const auto bins = sf::bin_pairs(c.time, c.mag, c.mag_err, edges, estimator, 20);
  const auto law = sf::fit_power_law(bins);
  const auto saturation = sf::fit_saturation(bins);
  return {law ? law->slope : kNone, law ? law->amplitude : kNone,
          saturation ? saturation->sf_inf : kNone, saturation ? saturation->ln_tau : kNone,
          sf::bootstrap_errors(c.time, c.mag, c.mag_err, edges, estimator, bins)};
}

struct Ratio {
  double error, scatter;  // median error; half the range from the 16th to the 84th percentile
  double value() const { return error / scatter; }
};

struct Ratios {
  Ratio slope, amplitude, sf_inf, ln_tau;
};

// Of `curves` light curves of the same walk.
inline Ratios compare(const Walk& walk, sf::Estimator estimator, int curves, std::uint64_t seed) {
  std::vector<Results> all;
  for (int i = 0; i < curves; ++i)
    all.push_back(fitted(curve(walk, seed + static_cast<std::uint64_t>(i)), estimator));
  const auto ratio = [&](auto value, auto error) {
    std::vector<double> values, errors;
    for (const Results& r : all) {
      if (!std::isfinite(value(r))) continue;
      values.push_back(value(r));
      // An error that is not there must not count as small.
      const double e = error(r.errors);
      errors.push_back(std::isfinite(e) ? e : std::numeric_limits<double>::infinity());
    }
    std::ranges::sort(values);
    std::ranges::sort(errors);
    const std::size_t n = values.size();
    return Ratio{errors[n / 2], (values[n * 84 / 100] - values[n * 16 / 100]) / 2};
  };
  return {ratio([](auto& r) { return r.slope; }, [](auto& e) { return e.slope; }),
          ratio([](auto& r) { return r.amplitude; }, [](auto& e) { return e.amplitude; }),
          ratio([](auto& r) { return r.sf_inf; }, [](auto& e) { return e.sf_inf; }),
          ratio([](auto& r) { return r.ln_tau; }, [](auto& e) { return e.ln_tau; })};
}

}  // namespace simulate
