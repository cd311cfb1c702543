// Light curves of a damped harmonic oscillator with known parameters, observed in seasons.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "dho_likelihood.hpp"

namespace simulate {

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

struct Curve {
  std::vector<double> time, mag, mag_err;
};

inline Curve curve(std::size_t n, std::uint64_t seed, const dho::Parameters& truth,
                   double baseline = 1800, double error = 0.02) {
  Random random(seed);
  Curve c;
  while (c.time.size() < n) {
    const double t = baseline * random.uniform();
    if (std::fmod(t, 365.25) < 183) c.time.push_back(t);
  }
  std::ranges::sort(c.time);
  const double two_xi = 2 * std::exp(truth[dho::kXi]);
  const double turn = std::exp(truth[dho::kOmega] + truth[dho::kPerturb]);
  const double c1 = std::exp(truth[dho::kSigma]) / std::sqrt(1 + turn * turn), c2 = c1 * turn;
  double u = random.normal(), v = random.normal();
  for (std::size_t i = 0; i < n; ++i) {
    if (i > 0) {
      const dho::Step s = dho::step_over(std::exp(truth[dho::kOmega]) * (c.time[i] - c.time[i - 1]),
                                         dho::Damping(truth[dho::kXi]));
      const double e11 = s.q + two_xi * s.p;
      const double q11 = s.lost - two_xi * s.p * e11, q12 = two_xi * s.p * s.p,
                   q22 = s.lost + two_xi * s.p * s.q;
      const double l22 = std::sqrt(std::max(q22, 1e-300)), l12 = q12 / l22;
      const double a = random.normal(), b = random.normal();
      const double next =
          e11 * u + s.p * v + l12 * b + std::sqrt(std::max(q11 - l12 * l12, 0.0)) * a;
      v = s.q * v - s.p * u + l22 * b;
      u = next;
    }
    c.mag_err.push_back(error * (0.5 + random.uniform()));
    c.mag.push_back(18 + c1 * u + c2 * v + c.mag_err.back() * random.normal());
  }
  return c;
}

inline dho::Series series(std::size_t n, std::uint64_t seed, const dho::Parameters& truth) {
  const Curve c = curve(n, seed, truth);
  return dho::make_series(c.time, c.mag, c.mag_err);
}

}  // namespace simulate
