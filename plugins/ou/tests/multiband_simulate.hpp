// Multi-band light curves with known truth: one OU process seen by two surveys, ZTF g and r and, in
// the years before, Gaia G, BP and RP.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "multiband_likelihood.hpp"
#include "simulate.hpp"

namespace simulate {

struct BandsTruth {
  double tau = 120;  // d
  std::vector<double> sigma{0.2, 0.16, 0.17, 0.19, 0.14};
  std::vector<double> error{0.03, 0.025, 0.01, 0.05, 0.04};
  std::vector<std::size_t> epochs{200, 240, 40, 40, 40};  // three times a Gaia transit
};

struct Bands {
  std::vector<double> time, mag, mag_err;
  std::vector<std::uint8_t> band;
};

// Epochs in the order of time.
inline Bands bands(std::uint64_t seed, const BandsTruth& truth = {}) {
  Random random(seed);
  struct Moment {
    double time;
    std::size_t band;
    bool operator<(const Moment& other) const { return time < other.time; }
  };
  std::vector<Moment> moments;
  for (std::size_t b = 0; b < truth.epochs.size(); ++b) {
    for (std::size_t i = 0; i < truth.epochs[b];) {
      if (b > 2) {  // BP and RP: with each transit of G
        const Moment& transit = moments[moments.size() - truth.epochs[2]];
        moments.push_back({transit.time + 3e-4 * static_cast<double>(b - 2), b});
        ++i;
        continue;
      }
      const double t = b < 2 ? 1300 + 2300 * random.uniform() : 1000 * random.uniform();
      if (b < 2 && std::fmod(t, 365.25) > 240) continue;
      moments.push_back({t, b});
      ++i;
    }
  }
  std::sort(moments.begin(), moments.end());
  Bands out;
  double x = random.normal(), last = 0;
  for (const Moment& m : moments) {
    const double a = std::exp(-(m.time - last) / truth.tau);
    x = a * x + std::sqrt(1 - a * a) * random.normal();
    last = m.time;
    const double error = truth.error[m.band] * (0.7 + 0.6 * random.uniform());
    out.time.push_back(m.time);
    out.band.push_back(static_cast<std::uint8_t>(m.band));
    out.mag_err.push_back(error);
    out.mag.push_back(18.0 + 0.2 * static_cast<double>(m.band) + truth.sigma[m.band] * x +
                      error * random.normal());
  }
  return out;
}

// Moves a fraction of the epochs by 0.2 to 1.5 mag up or down; 1 for each that it moved.
inline std::vector<std::uint8_t> add_outliers(Bands& b, double fraction, Random& random) {
  std::vector<std::uint8_t> moved(b.mag.size());
  for (std::size_t i = 0; i < moved.size(); ++i) {
    if (random.uniform() >= fraction) continue;
    const double by = 0.2 * std::exp(random.uniform() * std::log(7.5));
    b.mag[i] += random.uniform() < 0.5 ? by : -by;
    moved[i] = 1;
  }
  return moved;
}

// White noise that mag_err does not account for; sd by band.
inline void add_noise(Bands& b, const std::vector<double>& sd, Random& random) {
  for (std::size_t i = 0; i < b.mag.size(); ++i) b.mag[i] += sd[b.band[i]] * random.normal();
}

// To each band an OU process of its own, `ratio` times as large as the common one.
inline void add_own_processes(Bands& b, const BandsTruth& truth, double ratio, double tau,
                              Random& random) {
  for (std::size_t band = 0; band < truth.sigma.size(); ++band) {
    double x = random.normal(), last = 0;
    for (std::size_t i = 0; i < b.mag.size(); ++i) {
      if (b.band[i] != band) continue;
      const double a = std::exp(-(b.time[i] - last) / tau);
      x = a * x + std::sqrt(1 - a * a) * random.normal();
      last = b.time[i];
      b.mag[i] += ratio * truth.sigma[band] * x;
    }
  }
}

inline ou::multiband::Series series(const Bands& b, std::size_t bands) {
  ou::multiband::PerBand<double> reference;
  reference.fill(18.3);
  return ou::multiband::make_series(bands, b.time, b.band, b.mag, b.mag_err, reference).series;
}

inline ou::multiband::Parameters parameters(const BandsTruth& truth) {
  ou::multiband::Parameters out;
  out.ln_tau = std::log(truth.tau);
  for (std::size_t b = 0; b < truth.sigma.size(); ++b) out.ln_sigma[b] = std::log(truth.sigma[b]);
  return out;
}

}  // namespace simulate
