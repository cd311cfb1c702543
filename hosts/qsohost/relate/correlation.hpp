// Rank correlation of two quantities, and at a fixed third one.
#pragma once

#include <span>

namespace qsohost::cli {

struct Correlation {
  double simple = 0;   // Spearman's rho of x and y
  double partial = 0;  // of x and y at fixed z; NaN where z determines one of them
};

// Equal values share their mean rank. All are as long as y and finite. Kendall & Stuart 1977, The
// Advanced Theory of Statistics 2, chapter 27.
Correlation rank_correlation(std::span<const double> x, std::span<const double> y,
                             std::span<const double> z);

}  // namespace qsohost::cli
