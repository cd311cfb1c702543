// Leave-one-out residuals of fits of single light curves: each epoch against what the fit and all
// other epochs predict for it.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "report/fit_columns.hpp"

namespace qsohost::cli {

// Of a random sample of the objects.
struct LooResiduals {
  const Product* curves = nullptr;     // whose epochs these are
  std::vector<double> standardised{};  // one an epoch: N(0, 1) if model and errors are right
  // One an object: mean magnitude; and the error (mag) that, added in squares to mag_err, would
  // explain the scatter of its residuals. Negative where they scatter less than they should.
  std::vector<double> mag{}, excess{};
  std::size_t objects = 0;       // with residuals
  std::size_t other_epochs = 0;  // left out: their light curve is not the one that was fitted
};

inline constexpr std::size_t kResidualObjects = 3000;

// None without light curves of the fit's epochs. The product is the last in the chain with as many
// epochs an object as the fits used.
std::optional<LooResiduals> loo_residuals(const FitColumns& fit, const RunProducts& run);

}  // namespace qsohost::cli
