// Maximum-likelihood fits of all bands of an object at once, inside a box.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "multiband_likelihood.hpp"
#include "ou_fit.hpp"

namespace ou::multiband {

// A band and the one against which its lag is measured.
struct Lagged {
  std::size_t band, reference;
};

struct Model {
  Box box;  // of tau, of every sigma and, if fitted, of every jitter; also of tau_2
  Mean mean = Mean::Profiled;
  bool incoherent = false;  // model M2
  PerBand<double> lag{};    // at which fit_global() fits
  // Lags that fit_with_lags() fits, of bands with epochs; they count as parameters. 0 is between
  // the bounds.
  std::vector<Lagged> lagged{};
  double lag_min = 0, lag_max = 0;  // d
};

struct LagInterval {
  double low = 0, high = 0;  // d
};

struct Fit {
  bool converged = false;
  Parameters at;
  Incoherent incoherent;  // of M2
  Evaluation value;
  int n_parameters = 0;            // means included
  std::uint8_t tau_bounds = 0;     // Bound flags
  PerBand<std::uint8_t> bounds{};  // of sigma and jitter
  // From the curvature of the likelihood; NaN where it is not concave, and for what is on a bound.
  double err_ln_tau = 0;
  PerBand<double> err_ln_sigma{}, err_ln_d{}, err_ln_jitter{};
  PerBand<double> err_ln_ratio{};  // of sigma_b to that of the first band; 0 for that band
  // Where the likelihood is at least e^-0.5 of its maximum, all else as it is; 0 of other bands.
  PerBand<LagInterval> lag_interval{};
  int evaluations = 0;
  bool has_epochs(std::size_t band) const { return (bands_with_epochs & (1U << band)) != 0; }
  std::uint32_t bands_with_epochs = 0;
};

// The highest of the maxima reached from where the bands, fitted one by one along tau, agree most,
// and from `more`.
Fit fit_global(const Series& series, const Model& model, std::span<const Parameters> more = {});

// Aikake's and the Bayesian criterion.
double aic(const Fit& fit);
double bic(const Fit& fit, std::size_t epochs);

}  // namespace ou::multiband
