// Cleaning by prediction: an epoch goes when it lies further from what all other good epochs
// predict than a light curve of this length allows at a stated rate of false alarms.
#pragma once

#include "loo_clean.hpp"

namespace ou {

// In standard deviations: what the largest of `n` leave-one-out residuals of a good light curve
// exceeds `false_alarms` times a curve (Student's t with n - 3 degrees of freedom, two-sided,
// Bonferroni; the parameters are estimated from the same epochs).
double critical_residual(std::size_t n, double false_alarms);

// Starts from the maximum of a likelihood in which a squared innovation never counts as more than
// 12 variances, so that no group of outliers can hide its members; then epochs are judged from
// leave-one-out predictions that use only those held good, and the process is fitted to these,
// turn by turn until nothing changes. `passes` counts the turns. Every epoch is judged by the last
// parameters: one that went too early comes back.
Cleaned clean_by_prediction(const Curve& curve, const Rule& rule);

// What epochs are judged by. Parameters come with the mean that belongs to them, as those judged
// need not be those fitted: the median of all is not that of the good ones.
struct Process {
  Parameters at;
  std::optional<double> mean;  // mag; none: estimated anew, from the epochs that predict
};
Process process_of(const Fit& fit, Mean mean);

// The epochs (ascending) beyond `critical` standard deviations.
std::vector<std::size_t> outliers_at(const Series& series, const Process& process, double critical);

// Leave-one-out residuals in standard deviations, by epoch; those with ignored[i] predict nothing.
std::vector<double> residuals_at(const Series& series, const Process& process,
                                 std::span<const std::uint8_t> ignored);

}  // namespace ou
