// Leave-one-out cleaning of a light curve. By influence on D = sigma^2 / tau: the epoch whose
// absence changes ln D most goes, and the rest is looked at again. By prediction: see
// predictive_rule.hpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "loo_refit.hpp"

namespace ou {

enum class Mode : std::uint8_t {
  Screened,  // refits only without those epochs that may be the one; in simulations the same answer
  Exact,     // refits without every epoch
};

struct Rule {
  Mode mode = Mode::Screened;            // by influence only
  double false_alarms_per_curve = 0.05;  // by prediction only
  std::size_t min_points = 10;  // left after cleaning; never fewer than 4: see leaves_enough()
  std::size_t max_passes = 10;
  double min_abs_delta_ln_d = 0.5;
  bool only_if_d_decreases = true;  // when the epoch is removed
  double max_failed_fraction = 0.1;
  Mean mean = Mean::Fixed;  // Fixed: at the median of the magnitudes that are fitted
  Box box = standard_box();
  std::function<bool()> stop_requested = [] { return false; };  // asked now and then

  // Three parameters are fitted: fewer than four epochs leave no degree of freedom.
  bool leaves_enough(std::size_t epochs, std::size_t removed) const {
    return epochs >= removed + std::max<std::size_t>(min_points, 4);
  }
};

enum class Ending : std::uint8_t {
  Clean,          // no epoch was left that the rule removes
  PassesUsedUp,   // one pass more would have changed something
  AtFewest,       // by influence: without the next epoch fewer than min_points would be left
  FitFailed,      // a fit of all epochs did not converge
  TooManyFailed,  // more than max_failed_fraction of a pass's refits did not converge
  TooFewLeft,     // by prediction: so many epochs do not fit that under min_points are left
  Stopped,        // by stop_requested
};

struct Cleaned {
  Ending ending = Ending::Clean;
  Fit full;                          // of all epochs
  Fit post;                          // of those kept; = full when none was removed
  std::vector<std::size_t> removed;  // positions in the input, in order of removal
  // The last one (which removes nothing) included; at most max_passes, although one pass more then
  // tells whether something would still change.
  std::size_t passes = 0;
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

// The refits of one pass.
struct Pass {
  std::vector<std::size_t> epochs;
  std::vector<Fit> fits;            // without each of `epochs`
  std::optional<std::size_t> most;  // in `epochs`: whose absence changes ln D most
  double change = 0;                // of ln D by that
  bool stopped = false;

  // Of `n` epochs; screened, those not tried would have converged.
  bool too_many_failed(double fraction, std::size_t n) const;
  bool removes(const Rule& rule) const;

  // Sets `most` and `change` by the fits that there are.
  void choose(const Fit& full);
  // Fits those epochs to full precision that may be the one that is removed.
  void polish(const Refits& refit, const Fit& full, const Rule& rule);
};

// Epochs in the order of the guesses, fitted no better than it takes to tell which of them changes
// ln D most; that one to full precision. Screened: until the next guess is well below what was
// found and below what would be removed.
Pass make_pass(const Refits& refit, const Fit& full, std::size_t n, const Rule& rule);

// When given up, `removed` is empty.
Cleaned clean(Curve curve, const Rule& rule);

}  // namespace ou
