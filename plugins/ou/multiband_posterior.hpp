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
// so quantiles differ from those of a dense grid by about 0.05. They are rough for a band in which
// no variation is seen: there the density is flat down to the bound.
Posterior posterior_of(const Series& series, const Model& model, const Fit& fit);

}  // namespace ou::multiband
