// Light curves of a damped harmonic oscillator with known parameters, observed in seasons.
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
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
  double between(double low, double high) { return low + (high - low) * uniform(); }
  double ratio(double low, double high) { return low * std::pow(high / low, uniform()); }
  double normal() {
    return std::sqrt(-2 * std::log(1 - uniform())) * std::cos(2 * std::acos(-1.0) * uniform());
  }

 private:
  std::mt19937_64 engine_;
};

struct Curve {
  std::vector<double> time, mag, mag_err;
};

inline dho::Series series_of(const Curve& c) {
  return dho::make_series(c.time, c.mag, c.mag_err);
}

inline dho::Parameters logs(double sigma, double omega, double xi, double tau_perturb) {
  return {std::log(sigma), std::log(omega), std::log(xi), std::log(tau_perturb)};
}

// Of a damped random walk: any tau_perturb = tau_rise leaves one pole.
inline dho::Parameters walk(double sigma, double tau, double rise) {
  const double omega = 1 / std::sqrt(tau * rise);
  return logs(sigma, omega, (tau + rise) * omega / 2, rise);
}

// u and u' of the oscillator in units of their standard deviations.
class Oscillator {
 public:
  Oscillator(const dho::Parameters& p, Random& random)
      : omega_(std::exp(p[dho::kOmega])),
        xi_(std::exp(p[dho::kXi])),
        u_(random.normal()),
        v_(random.normal()) {
    const double turn = std::exp(p[dho::kOmega] + p[dho::kPerturb]);
    of_u_ = std::exp(p[dho::kSigma]) / std::sqrt(1 + turn * turn);
    of_v_ = of_u_ * turn;
  }

  void move(double dt, Random& random) {
    const double x = omega_ * dt;
    std::complex<double> k = std::sqrt(std::complex<double>(xi_ * xi_ - 1));
    if (std::abs(k) < 1e-7) k = 1e-7;
    const auto slow = std::exp((k - xi_) * x), fast = std::exp((-k - xi_) * x);
    const double s = ((slow - fast) / (2.0 * k)).real(), c = ((slow + fast) / 2.0).real();
    const double q = c - xi_ * s, lost = -std::expm1(-2 * xi_ * x), r = 2 * xi_ * s;
    const double n11 = lost - r * (q + r), n12 = r * s, n22 = lost + r * q;
    const double l22 = std::sqrt(std::max(n22, 1e-300)), l12 = n12 / l22;
    const double a = random.normal(), b = random.normal();
    const double u =
        (q + r) * u_ + s * v_ + l12 * b + std::sqrt(std::max(n11 - l12 * l12, 0.0)) * a;
    v_ = q * v_ - s * u_ + l22 * b;
    u_ = u;
  }
  double value() const { return of_u_ * u_ + of_v_ * v_; }

 private:
  double omega_, xi_, of_u_, of_v_, u_, v_;
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
  Oscillator oscillator(truth, random);
  for (std::size_t i = 0; i < n; ++i) {
    if (i > 0) oscillator.move(c.time[i] - c.time[i - 1], random);
    c.mag_err.push_back(error * (0.5 + random.uniform()));
    c.mag.push_back(18 + oscillator.value() + c.mag_err.back() * random.normal());
  }
  return c;
}

inline dho::Series series(std::size_t n, std::uint64_t seed, const dho::Parameters& truth) {
  return series_of(curve(n, seed, truth));
}

// A light curve of any kind: weakly damped to overdamped, and every fourth a damped random walk.
inline Curve any_curve(std::size_t n, std::uint64_t seed) {
  Random random(seed * 7919 + n);
  const double baseline = random.between(1000, 4000), sigma = random.between(0.08, 0.38);
  const double omega = random.ratio(2 / baseline, 0.25), xi = random.ratio(0.03, 30);
  const dho::Parameters truth = seed % 4 == 3
                                    ? walk(sigma, random.ratio(20, 1000), 1)
                                    : logs(sigma, omega, xi, random.ratio(0.05, 5) / omega);
  return curve(n, seed, truth, baseline, random.between(0.01, 0.03));
}

}  // namespace simulate
