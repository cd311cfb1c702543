// Leave-one-out cleaning of a light curve by influence on D = sigma^2 / tau: the epoch whose
// absence changes ln D most goes, and the rest is looked at again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ou_fit.hpp"

namespace ou {

struct Rule {
  std::size_t min_points = 10;
  std::size_t max_passes = 10;
  double min_abs_delta_ln_d = 0.5;
  bool only_if_d_decreases = true;  // when the epoch is removed
  double max_failed_fraction = 0.1;
  Mean mean = Mean::Fixed;  // Fixed: at the median of the magnitudes that are fitted
  Box box = standard_box();
};

enum class Ending : std::uint8_t {
  Clean,          // no epoch was left that the rule removes, or too few for another pass
  PassesUsedUp,   // the last pass allowed still removed one
  FitFailed,      // a fit of all epochs did not converge
  TooManyFailed,  // more than max_failed_fraction of a pass's refits did not converge
};

struct Cleaned {
  Ending ending = Ending::Clean;
  Fit full;                          // of all epochs
  Fit post;                          // of those kept; = full when none was removed
  std::vector<std::size_t> removed;  // positions in the input, in order of removal
  std::size_t passes = 0;            // begun, the last one (which may remove nothing) included
  bool given_up() const { return ending >= Ending::FitFailed; }
};

// Time order (d, rest frame if wanted), mag, mag; finite, errors positive, at least 3 epochs.
struct Curve {
  std::vector<double> time, mag, mag_err;
  std::size_t size() const { return time.size(); }
  void erase(std::size_t j);
};

double median(std::vector<double> values);  // NaN for none

// The curve relative to the median of its magnitudes.
Series series_of(const Curve& curve);

// Every epoch's removal refitted, each from the fit of all and from the best of a grid, and the
// better kept; each refit subtracts the median of the magnitudes that it fits. When given up,
// `removed` is empty.
Cleaned clean(Curve curve, const Rule& rule);

// One pass: fits without each epoch in turn. `full` is the fit of all of `series`.
std::vector<Fit> refit_without_each(const Series& series, const Fit& full, const Ridge& ridge,
                                    const Rule& rule);

}  // namespace ou
