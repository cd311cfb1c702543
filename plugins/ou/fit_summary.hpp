// Results of a fit besides its parameters.
#pragma once

#include <string_view>

#include "ou_fit.hpp"

namespace ou {

struct Summary {
  Fit fit;
  int n_parameters;         // the mean, sigma, tau and, if fitted, jitter
  double loglike_constant;  // of the best constant with the same errors and, if fitted, jitter
  double aic, bic;
  double bic_constant;    // 1 parameter, or 2 with jitter
  double chi2_reduced;    // per N - n_parameters; NaN if that is not positive
  double sf_inf() const;  // mag; structure function at long lags, sqrt(2) sigma
};
Summary summarise(const Series& series, const Fit& fit, Mean mean, const Box& box);

// The result columns, each once for all epochs and once for those kept.
struct SummaryColumn {
  std::string_view name, unit, help;
  double (*value)(const Summary&);
  bool framed = false;  // depends on the frame of the times
};
std::span<const SummaryColumn> summary_columns(bool with_jitter);

}  // namespace ou
