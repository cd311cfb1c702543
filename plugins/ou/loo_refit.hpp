// Fits of a light curve without one of its epochs, and the choice of those worth making.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "ou_fit.hpp"

namespace ou {

// State shared by the refits of one pass. Everything must outlive it.
class Refits {
 public:
  // `full` is the fit of all of `series`.
  Refits(const Series& series, const Fit& full, const Ridge& ridge, const Box& box, Mean mean);

  // Each starts from the fit of all and, if they lie elsewhere, from the maxima of a grid that may
  // be the highest; the best is kept. The result for an epoch does not depend on the rest of
  // `epochs`.
  std::vector<Fit> operator()(std::span<const std::size_t> epochs,
                              Precision precision = Precision::Full) const;
  // Refines the fit without this epoch that was found at Precision::Screening to full precision.
  Fit polished(std::size_t epoch, const Fit& fit) const;

  // All epochs, sorted by a guess of how much their absence changes ln D, largest first: from a
  // Newton step with leave-one-out predictions around the fit, or from the grid where that shows
  // other maxima. Where all epochs together hardly constrain D, every guess is infinite. The
  // `n_improbable` epochs of lowest predictive density have an infinite guess.
  struct Guess {
    std::size_t epoch;
    double change;  // absolute, of ln D
  };
  std::vector<Guess> guesses(std::size_t n_improbable) const;

 private:
  void look_at_grid(const Ridge& ridge);

  const Series& series_;
  const Fit& full_;
  const Box& box_;
  Mean mean_;
  std::vector<Parameters> best_;  // of the grid, without that epoch
  struct Other {
    std::size_t epoch;
    Parameters at;
  };
  std::vector<Other> others_;  // further maxima that may be as high, by epoch
  Parameters best_of_all_;     // of the grid, with all epochs
};

}  // namespace ou
