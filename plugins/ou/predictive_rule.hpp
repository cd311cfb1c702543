// Cleaning by prediction: an epoch is removed if it is further from the prediction of all other
// good epochs than expected in a light curve of this length at a given false-alarm rate.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "loo_clean.hpp"

namespace ou {

// In standard deviations: the value that the largest of `n` leave-one-out residuals of a good light
// curve exceeds `false_alarms` times per curve (Student's t with n - 3 degrees of freedom,
// two-sided, Bonferroni; the parameters are estimated from the same epochs).
double critical_residual(std::size_t n, double false_alarms);

// Starts from the maximum of a likelihood in which a squared innovation never counts as more than
// 12 variances, so that a group of outliers cannot mask its members. Then it alternates between
// testing epochs against leave-one-out predictions that use only good ones, and fitting the process
// to these, until nothing changes. `passes` counts the iterations. The last parameters decide for
// every epoch: one that was removed too early comes back.
Cleaned clean_by_prediction(const Curve& curve, const Rule& rule);

// Leave-one-out residuals in standard deviations of all epochs, where those with ignored[i] are not
// used in predictions.
using Residuals = std::function<std::vector<double>(std::span<const std::uint8_t> ignored)>;

// A mask of the epochs beyond critical[i] standard deviations. The largest of their neighbourhood
// is ignored first, because good epochs next to it seem bad; one that was ignored too early comes
// back once. Starts from the mask `ignored`.
std::vector<std::uint8_t> find_outliers(std::vector<std::uint8_t> ignored,
                                        const Residuals& residuals,
                                        std::span<const double> critical);

// The epochs (ascending) beyond `critical` standard deviations.
std::vector<std::size_t> outliers_at(const Series& series, const Parameters& at, Mean mean,
                                     double critical);

// Leave-one-out residuals in standard deviations, by epoch; those with ignored[i] are not used in
// predictions. Zeros where these are too few to estimate a mean that is not fixed.
std::vector<double> residuals_at(const Series& series, const Parameters& at, Mean mean,
                                 std::span<const std::uint8_t> ignored);

}  // namespace ou
