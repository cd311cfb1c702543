// A straight line (or plane) through points, of which some lie far off: Huber's M-estimator.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace qsohost::cli {

// y = intercept + sum_k slope[k] (x[k] - centre[k]), centre: medians of the regressors.
struct RobustFit {
  std::size_t n = 0;           // points
  std::vector<double> centre;  // one a regressor, as all vectors but the last two
  double intercept = 0;        // y where each regressor is at its median
  double intercept_err = 0;
  std::vector<double> slope, slope_err;
  double scatter = 0;  // of the residuals: 1.4826 times the median of |residual - their median|
  double sd = 0;       // standard deviation of the residuals, far ones with full weight
  bool has_converged = false;
  std::vector<double> residual;  // one a point
  std::vector<double> weight;    // Huber's: 1, and c scatter / |residual| of far points

  double at(std::span<const double> x) const;  // one value a regressor
};

// Huber's weights with c = 1.345 (95 % efficient where errors are normal), the scale 1.4826 MAD of
// the residuals anew in each step, by iteratively reweighted least squares from ordinary ones.
//
// Errors are of the sandwich form (Huber 1967; White 1980), with n / (n - parameters): right also
// where the scatter depends on x. `cluster`: points with equal numbers, as of bands of one object,
// are not independent; their contributions are added first. Empty: all points are independent.
//
// x: a column for each regressor, as long as y; all values are finite. Throws RunError if there are
// fewer than two points more than parameters, or if regressors depend linearly on one another.
// Huber 1964, Ann. Math. Stat. 35, 73; Huber & Ronchetti 2009, Robust Statistics.
RobustFit robust_line(const std::vector<std::vector<double>>& x, std::span<const double> y,
                      std::span<const std::size_t> cluster = {});

double median_of(std::vector<double> values);  // NaN of none

}  // namespace qsohost::cli
