// Fits of a light curve without one of its epochs, and the choice of those worth making.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "ou_fit.hpp"

namespace ou {

// The log-likelihood or a term of it at points around a fit: see loo_refit.cpp.
using Around = std::array<double, 7>;

// State shared by the refits of one pass. Everything must outlive it.
class Refits {
 public:
  // `full` is the fit of all of `series`.
  Refits(const Series& series, const Fit& full, const Ridge& ridge, const Box& box, Mean mean);

  // Each starts from a Newton step from the fit of all and, if they lie elsewhere, from the maxima
  // of a grid that may be the highest; the best is kept. The result for an epoch does not depend on
  // the rest of `epochs`.
  std::vector<Fit> operator()(std::span<const std::size_t> epochs,
                              Precision precision = Precision::Full) const;
  // Refines the fit without this epoch that was found at Precision::Screening to full precision.
  Fit polished(std::size_t epoch, const Fit& fit) const;

  // All epochs, with a guess of how much their absence changes ln D: from a Newton step with
  // leave-one-out predictions around the fit, or from the grid where that shows other maxima. Where
  // all epochs together hardly constrain D, every guess is infinite. First come the `n_improbable`
  // epochs of lowest predictive density, whose guess is infinite; then those of at least `least`,
  // largest first; then the rest in no order.
  struct Guess {
    std::size_t epoch;
    double change;  // absolute, of ln D
  };
  std::vector<Guess> guesses(std::size_t n_improbable, double least) const;
  bool is_vague() const;  // all epochs together hardly constrain D

 private:
  void look_elsewhere(const std::vector<Parameters>& grid, const LooTable& table);
  Around around_without(std::size_t epoch) const;
  Parameters start_without(std::size_t epoch) const;

  const Series& series_;
  const Fit& full_;
  const Box& box_;
  Mean mean_;
  Around around_all_{};         // log-likelihood of all epochs
  std::vector<Around> around_;  // ln p(epoch | the rest)
  struct Elsewhere {
    std::size_t epoch;
    Parameters at;
  };
  std::vector<Elsewhere> elsewhere_;  // maxima on the grid, by epoch; none if all are near the fit
  Parameters best_of_all_;            // of the grid, with all epochs
};

}  // namespace ou
