// Light curves with known truth: an OU process observed in seasons.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "loo_clean.hpp"

namespace simulate {

struct Truth {
  double sigma = 0.15;                         // mag
  double tau = 120;                            // d
  double mean = 18;                            // mag
  double baseline = 1800;                      // d; observed half of each year
  double error_low = 0.01, error_high = 0.04;  // mag
};

// Own generators, because distributions differ between standard libraries.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  double uniform() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  double normal() {
    return std::sqrt(-2 * std::log(1 - uniform())) * std::cos(2 * std::acos(-1.0) * uniform());
  }

 private:
  std::mt19937_64 engine_;
};

inline ou::Curve curve(std::size_t n, std::uint64_t seed, const Truth& truth = {}) {
  Random random(seed);
  ou::Curve c;
  while (c.time.size() < n) {
    const double t = truth.baseline * random.uniform();
    if (std::fmod(t, 365.25) < 183) c.time.push_back(t);
  }
  std::sort(c.time.begin(), c.time.end());
  double f = truth.sigma * random.normal();
  for (std::size_t i = 0; i < n; ++i) {
    const double a = i == 0 ? 0 : std::exp(-(c.time[i] - c.time[i - 1]) / truth.tau);
    f = a * f + truth.sigma * std::sqrt(1 - a * a) * random.normal();
    const double error = truth.error_low + (truth.error_high - truth.error_low) * random.uniform();
    c.mag_err.push_back(error);
    c.mag.push_back(truth.mean + f + error * random.normal());
  }
  return c;
}

// Parameters distributed like those of quasars: sigma 0.04 to 0.3 mag, tau 10 to 1000 d.
inline Truth any_truth(Random& random) {
  Truth truth;
  truth.sigma = 0.04 * std::exp(random.uniform() * std::log(7.5));
  truth.tau = 10 * std::exp(random.uniform() * std::log(100.0));
  truth.error_low = 0.01 + 0.02 * random.uniform();
  truth.error_high = truth.error_low + 0.03;
  return truth;
}

// Moves a fraction of the epochs by 0.3 to 1.5 mag up or down; returns them ascending.
inline std::vector<std::size_t> add_outliers(ou::Curve& c, double fraction, Random& random) {
  std::vector<std::size_t> moved;
  for (std::size_t i = 0; i < c.size(); ++i) {
    if (random.uniform() >= fraction) continue;
    const double by = 0.3 * std::exp(random.uniform() * std::log(5.0));
    c.mag[i] += random.uniform() < 0.5 ? by : -by;
    moved.push_back(i);
  }
  return moved;
}

// White noise that mag_err does not account for.
inline void add_noise(ou::Curve& c, double sd, Random& random) {
  for (double& mag : c.mag) mag += sd * random.normal();
}

// Jitter from none to three times the errors.
inline ou::Curve jittered_curve(std::size_t n, std::uint64_t seed) {
  Random random(seed * 7919 + n);
  const Truth truth = any_truth(random);
  ou::Curve c = curve(n, seed, truth);
  const double in_errors[] = {0, 0.3, 1, 3};
  add_noise(c, in_errors[seed % 4] * (truth.error_low + truth.error_high) / 2, random);
  return c;
}

}  // namespace simulate
