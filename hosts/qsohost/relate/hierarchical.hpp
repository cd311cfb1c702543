// The population that objects with uncertain sigma and tau come from: a relation of one quantity
// (ln D) with regressors, its scatter, and the population of a second quantity (ln tau), fitted to
// the objects' posteriors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "relate/posterior_nodes.hpp"

namespace qsohost::cli {

// Mean = intercept + sum_k slope[k] (x[k] - centre[k]), about it a normal distribution.
struct Population {
  double intercept = 0, intercept_err = 0;
  std::vector<double> slope{}, slope_err{};
  double scatter = 0, scatter_err = 0;  // intrinsic, dex
};

struct HierarchicalFit {
  std::size_t n = 0;           // points
  std::vector<double> centre;  // medians of the regressors
  Population y, partner;       // all in dex
  double correlation = 0;      // of y and partner at given x, within the population
  double correlation_err = 0;
  double ln_likelihood = 0;  // up to a constant
  bool has_converged = false;
  std::vector<double> mean;  // of y of each point, given its light curve and the population
};

// Whether the second quantity has a population, too, or each value of its logarithm is as likely.
// Flat is there to see what ignoring it costs.
enum class Partner : std::uint8_t { Fitted, Flat };

// Maximises the product over objects of sum_k w_k p(y_k, partner_k | x, population), w the weights
// of the nodes without the prior of the fit and p a normal density in two dimensions whose means
// are linear in x. Errors are of the sandwich form, with the second derivatives at the maximum; see
// robust_line for it and for `cluster`.
//
// x: a column for each regressor, finite, as long as there are objects in `nodes`, each with a
// node. `start`: values of y and partner near the truth, as of the best fits, one an object. Throws
// RunError as robust_line does. Hogg, Myers & Bovy 2010, ApJ 725, 2166.
HierarchicalFit fit_population(const PosteriorNodes& nodes,
                               const std::vector<std::vector<double>>& x,
                               std::span<const double> y_start,
                               std::span<const double> partner_start,
                               std::span<const std::size_t> cluster = {},
                               Partner partner = Partner::Fitted);

}  // namespace qsohost::cli
