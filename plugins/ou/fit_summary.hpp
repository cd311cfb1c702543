// Results of a fit besides its parameters.
#pragma once

#include <string_view>

#include "ou_fit.hpp"

namespace ou {

struct Summary {
  Fit fit;
  double loglike_constant;  // of a constant (the best one) with the same errors
  double aic, bic;          // of the process: 3 parameters, the mean is one of them
  double bic_constant;      // 1 parameter
  double chi2_reduced;      // per N - 3; NaN for 3 epochs or fewer
  double sf_inf() const;    // mag; structure function at long lags, sqrt(2) sigma
};
Summary summarise(const Series& series, const Fit& fit, Mean mean);

// The result columns, each once for all epochs and once for those kept.
struct SummaryColumn {
  std::string_view name, unit, help;
  double (*value)(const Summary&);
};
std::span<const SummaryColumn> summary_columns();

}  // namespace ou
