// Fits of a light curve without one of its epochs, and which of them are worth making.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "ou_fit.hpp"

namespace ou {

// What the refits of one pass share. Everything must outlive it.
class Refits {
 public:
  // `full` is the fit of all of `series`.
  Refits(const Series& series, const Fit& full, const Ridge& ridge, const Box& box, Mean mean);

  // Each from the fit of all and, where these lie elsewhere, from the maxima of a grid that may be
  // the highest; the best is kept. A refit subtracts the median of the magnitudes that it fits. The
  // same epoch gets the same answer in whatever company.
  std::vector<Fit> operator()(std::span<const std::size_t> epochs,
                              Precision precision = Precision::Full) const;
  // The fit without this epoch that was found at Precision::Screening, at full precision.
  Fit polished(std::size_t epoch, const Fit& fit) const;

  // All epochs, those first whose absence is likeliest to change ln D most, each with a guess of
  // that change: by a Newton step from leave-one-out predictions around the fit; by the grid where
  // that tells of other maxima. Where all epochs together hardly determine D every guess is
  // infinite. The `n_improbable` epochs of lowest predictive density have an infinite guess.
  struct Guess {
    std::size_t epoch;
    double change;  // of ln D, its size
  };
  std::vector<Guess> guesses(std::size_t n_improbable) const;

 private:
  void look_at_grid(const Ridge& ridge);

  const Series& series_;
  const Fit& full_;
  const Box& box_;
  Mean mean_;
  std::vector<double> medians_;   // of all magnitudes but that epoch's
  std::vector<Parameters> best_;  // of the grid, without that epoch
  struct Other {
    std::size_t epoch;
    Parameters at;
  };
  std::vector<Other> others_;  // further maxima that may be as high, by epoch
  Parameters best_of_all_;     // of the grid, with all epochs
};

}  // namespace ou
