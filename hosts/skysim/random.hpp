// Random numbers that depend only on their purpose: each source, row or exposure has its own
// generator, keyed by the seed and its identity. So results depend neither on threads nor on order.
// The generator counts and mixes (SplitMix64: Steele, Lea & Flood 2014).
#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <numbers>

namespace qsohost::skysim {

// Purpose of a key; the numbers are part of the result of a seed.
enum class Stream : std::uint64_t {
  Quasar = 1,
  Star,
  Catalogue,
  SourceTable,
  Weather,
  Field,
  Exposure,
  Curve,
  GaiaEpochs,
  Neighbour,
  Luminosity,
  Relation,
  Properties,
  Quaia,
  Neowise,
  Atlas
};

constexpr std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

class Random {
 public:
  Random(std::uint64_t seed, Stream stream, std::initializer_list<std::uint64_t> key)
      : state_(mixed(mixed(seed + kStep) ^ mixed(static_cast<std::uint64_t>(stream) * kStep))) {
    // Both sides are mixed, so that small numbers cannot cancel each other.
    for (const std::uint64_t k : key) state_ = mixed(state_ ^ mixed((k + 1) * kStep)) + kStep;
  }

  std::uint64_t bits() { return mixed(state_ += kStep); }
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }  // [0, 1)
  double uniform(double a, double b) { return a + (b - a) * uniform(); }
  bool chance(double p) { return uniform() < p; }
  std::int64_t integer(std::int64_t a, std::int64_t b) {  // both ends are included
    return a + static_cast<std::int64_t>(uniform() * static_cast<double>(b - a + 1));
  }
  double normal() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    const double angle = 2 * std::numbers::pi * uniform();
    spare_ = radius * std::sin(angle);
    has_spare_ = true;
    return radius * std::cos(angle);
  }
  double normal(double mean, double sigma) { return mean + sigma * normal(); }
  double sign() { return chance(0.5) ? 1.0 : -1.0; }

 private:
  static constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15u;
  std::uint64_t state_;
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace qsohost::skysim
