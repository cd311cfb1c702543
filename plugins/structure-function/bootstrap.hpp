// Errors of what is fitted to a structure function. Its pairs share epochs, and a light curve holds
// few independent lags of the length of tau, so that errors from the number of pairs are tens of
// times too small, and blocks of epochs, deleted or drawn anew, are too few where tau is not far
// below the baseline. Hence a parametric bootstrap: a damped random walk is fitted to the bins,
// replicates of it at the same epochs and with the same errors go through the same bins and fits,
// and the error of a result is half the range from its 16th to its 84th percentile among them.
#pragma once

#include <span>

#include "binned.hpp"

namespace sf {

// NaN where fewer than half of the replicates have a value.
struct Errors {
  double amplitude, slope;  // of PowerLaw
  double sf_inf, ln_tau;    // of Saturation
};

// `bins` are those that bin_pairs made of this light curve. The random numbers depend on the
// magnitudes alone, so that equal light curves have equal errors. Memory does not grow with the
// number of pairs, since replicates use a part of them where they are many. Takes 0.7 ms for 300
// epochs, 11 ms for 3,000; with iqr 3.4 and 14 ms.
Errors bootstrap_errors(std::span<const double> time, std::span<const double> mag,
                        std::span<const double> mag_err, std::span<const double> edges,
                        Estimator estimator, std::span<const Bin> bins);

}  // namespace sf
