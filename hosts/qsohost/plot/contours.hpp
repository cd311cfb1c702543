// Contours of a grid of counts by marching squares.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace qsohost::plot {

// In cells from the corner of the grid: the middle of the first cell is at (0.5, 0.5).
struct GridPoint {
  double x = 0, y = 0;
};
using ContourLine = std::vector<GridPoint>;  // closed: the last point joins the first
using ContourLines = std::vector<ContourLine>;

// The lines around the densest cells that hold this fraction (0 to 1) of all counts. Counts are
// smoothed first, by 1:2:1 along x and y, so that single cells do not make islands of noise; what
// is not finite or below 0 counts as 0. No lines if the fraction is not inside of (0, 1).
ContourLines contours(std::span<const double> counts, std::size_t columns, std::size_t rows,
                      double fraction);

}  // namespace qsohost::plot
