// What an Ornstein-Uhlenbeck process (damped random walk) with known parameters says about its
// value at any time, given the epochs of a light curve. For plots, residuals and Python; the
// fitters have their own, which differentiate too.
//
// The process has the covariance sigma^2 exp(-|dt| / tau) around `mean`; an epoch adds independent
// noise of its variance. Kalman filter forwards and backwards, O(epochs + times log epochs):
// Rasmussen and Williams (2006), Gaussian Processes for Machine Learning, appendix B.
#pragma once

#include <span>
#include <vector>

#include "qsohost/api.hpp"

namespace qsohost::inline v1 {

struct OuParameters {
  double log_sigma = 0;  // ln mag
  double log_tau = 0;    // ln days, in the frame of the times
  double mean = 0;       // mag
};

// Epochs: times (days) ascending, equal ones allowed; mags; variances (mag^2) above 0: mag_err^2,
// and jitter^2 if there is one. The three have equal length, which may be 0; all values are finite.
struct OuEpochs {
  std::span<const double> times, mags, variances;
};

// Of the process itself, without measurement noise: mag, and mag^2.
struct OuPrediction {
  std::vector<double> mean, variance;
};

// At each of the times `at` (days, any order), given all epochs.
QSOHOST_API OuPrediction predict_ou(const OuEpochs& epochs, const OuParameters& parameters,
                                    std::span<const double> at);

// At each epoch, given all others. The standardised leave-one-out residual of epoch i is
// (mags[i] - mean[i]) / sqrt(variance[i] + variances[i]).
QSOHOST_API OuPrediction leave_one_out_ou(const OuEpochs& epochs, const OuParameters& parameters);

}  // namespace qsohost::inline v1
