// The posterior density of a multi-band fit, by quadrature along ln tau. Deterministic.
#pragma once

#include <array>

#include "multiband_fit.hpp"
#include "ou_posterior.hpp"

namespace ou::multiband {

// At kQuantiles; of bands with epochs.
struct Posterior {
  std::array<double, 5> ln_tau{};
  PerBand<std::array<double, 5>> ln_sigma{}, ln_d{};
};

// Equal density of ln tau and every ln sigma inside the box; means as `model` says, jitter and lags
// as fitted. At each tau the density of the ln sigma counts as normal around its maximum (Laplace),
// but is sampled along a ln sigma that is known badly. Quantiles of two bands agree with those of a
// dense grid to 0.02 in ln tau and 0.05 in ln sigma and ln D; with few epochs, or hardly any
// variation in a band, within that grid's coarser step (0.08 in ln sigma, 0.16 in ln D).
Posterior posterior_of(const Series& series, const Model& model, const Fit& fit);

}  // namespace ou::multiband
