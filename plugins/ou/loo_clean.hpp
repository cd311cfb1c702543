// Leave-one-out cleaning of a light curve. By influence on D = sigma^2 / tau: the epoch whose
// absence changes ln D most is removed, and the rest is tested again. By prediction: see
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
  Screened,  // refits only without likely candidates; the same result in simulations
  Exact,     // refits without every epoch
};

struct Rule {
  Mode mode = Mode::Screened;            // by influence only
  double false_alarms_per_curve = 0.03;  // by prediction only
  std::size_t min_points = 10;  // left after cleaning; never fewer than 4: see leaves_enough()
  std::size_t max_passes = 10;
  double min_abs_delta_ln_d = 0.5;
  bool only_if_d_decreases = true;  // when the epoch is removed
  double max_failed_fraction = 0.1;
  double max_removed_fraction = 0.1;  // beyond, it is not a few outliers: see too_many()
  Mean mean = Mean::Fixed;            // Fixed: at the median of all epochs, removed or not
  Box box = standard_box();
  std::function<bool()> stop_requested = [] { return false; };  // polled

  // Three parameters are fitted, so fewer than four epochs leave no degree of freedom.
  bool leaves_enough(std::size_t epochs, std::size_t removed) const {
    return epochs >= removed + std::max<std::size_t>(min_points, 4);
  }
  // The margin is for fractions whose product with `epochs` rounds below a whole number.
  bool too_many(std::size_t epochs, std::size_t removed) const {
    return static_cast<double>(removed) > max_removed_fraction * static_cast<double>(epochs) + 1e-9;
  }
};

enum class Ending : std::uint8_t {
  Clean,          // the rule removes no further epoch
  PassesUsedUp,   // another pass would have changed something
  AtFewest,       // by influence: removing the next epoch would leave fewer than min_points
  FitFailed,      // a fit of all epochs did not converge
  TooManyFailed,  // more than max_failed_fraction of the refits in a pass did not converge
  TooFewLeft,     // by prediction: removing all outliers would leave fewer than min_points
  // More than max_removed_fraction would have been removed: two sources in one light curve, or not
  // this process.
  TooManyRemoved,
  Stopped,  // by stop_requested
};

struct Cleaned {
  Ending ending = Ending::Clean;
  Fit full;                          // of all epochs
  Fit post;                          // of those kept; = full if none was removed
  std::vector<std::size_t> removed;  // positions in the input, in order of removal
  // Includes the last one (which removes nothing); at most max_passes, although one more pass is
  // then made to see whether anything would still change.
  std::size_t passes = 0;
  bool given_up() const { return ending >= Ending::FitFailed; }
};

// Time order (d, rest frame if requested), mag, mag; finite, errors positive, at least 3 epochs.
struct Curve {
  std::vector<double> time, mag, mag_err;
  std::size_t size() const { return time.size(); }
};

double median(std::vector<double> values);  // NaN if empty

// The curve relative to the median of its magnitudes.
Series series_of(const Curve& curve);

// The refits of one pass.
struct Pass {
  std::vector<std::size_t> epochs;
  std::vector<Fit> fits;            // without each of `epochs`
  std::optional<std::size_t> most;  // in `epochs`: whose absence changes ln D most
  double change = 0;                // the change of ln D by it
  bool stopped = false;

  // Among `n` epochs; if screened, those not tried count as converged.
  bool too_many_failed(double fraction, std::size_t n) const;
  bool removes(const Rule& rule) const;

  // Sets `most` and `change` from the fits made so far.
  void choose(const Fit& full);
  // Refits to full precision the epochs that may be the one to remove.
  void polish(const Refits& refit, const Fit& full, const Rule& rule);
};

// Refits epochs in the order of the guesses, only as precisely as needed to find the one that
// changes ln D most; that one to full precision. Screened: stops when the next guess is well below
// both the largest change found and the threshold of removal.
Pass make_pass(const Refits& refit, const Fit& full, std::size_t n, const Rule& rule);

// If it gives up, `removed` is empty.
Cleaned clean(const Curve& curve, const Rule& rule);

}  // namespace ou
