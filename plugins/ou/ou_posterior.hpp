// The posterior density of sigma and tau inside a box, by quadrature: the mean integrated over with
// equal density, jitter held fixed. Deterministic.
#pragma once

#include <array>
#include <vector>

#include "ou_fit.hpp"

namespace ou {

// Densities inside the box that papers use.
enum class Prior : std::uint8_t {
  LogUniform,  // of ln sigma and ln tau, 1 / (sigma tau) of sigma and tau: Kozlowski et al. 2010,
               // ApJ 708, 927; MacLeod et al. 2010, ApJ 721, 1014; Burke et al. 2021
  Uniform,     // of sigma and tau: compared by Suberlak, Ivezic & MacLeod 2021, ApJ 907, 96
};

inline constexpr std::array<double, 5> kQuantiles{0.025, 0.16, 0.5, 0.84, 0.975};

struct Posterior {
  std::array<double, 5> ln_sigma{}, ln_tau{}, ln_d{};  // at kQuantiles
  // A rule for averages over the posterior, sum of weight * f: weights sum to 1. At most 16 values
  // of tau with 4 of sigma each, exact for polynomials of ln sigma up to degree 7 at each tau; or
  // 10 with 6, where sigma is hardly known.
  struct Node {
    double ln_sigma, ln_tau, ln_weight;
  };
  std::vector<Node> nodes;
};
inline constexpr std::size_t kMostNodes = 64;

// Quantiles differ from those of a dense grid by less than 0.02.
Posterior posterior_of(const Series& series, const Box& box, Prior prior, double ln_jitter);

}  // namespace ou
