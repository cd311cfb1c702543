// Counts of objects on the sky, and their map.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plot/figure.hpp"
#include "plot/frame.hpp"

namespace qsohost::plot {

// Counts in cells of equal area, about as wide as high: rows in dec from the south pole, each
// divided in RA. Memory does not grow with the number of objects.
class SkyCounts {
 public:
  explicit SkyCounts(int rows = 90);

  // Degrees; RA of any turn. Not finite or dec beyond a pole: counted apart.
  void add(double ra, double dec);

  std::uint64_t counted() const { return counted_; }
  std::uint64_t left_out() const { return left_out_; }
  int rows() const { return rows_; }
  const std::vector<double>& counts() const { return counts_; }  // row by row

 private:
  int rows_;
  std::vector<std::size_t> starts_;  // of each row in counts_
  std::vector<double> counts_;
  std::uint64_t counted_ = 0, left_out_ = 0;
};

// The map of them; `what` is the colour bar's label, "quasars".
Figure sky_map(std::string id, std::string title, const SkyCounts& counts,
               const std::string& what = "objects");

// One cell in degrees.
struct SkyCell {
  double ra_low = 0, ra_high = 0, dec_low = 0, dec_high = 0;
};
std::vector<SkyCell> sky_cells(int rows);

// Mollweide's plane, in which the sky is 2 sqrt(2) wide to each side.
Extents sky_extents();
// Makes the area of a map twice as wide as high.
void keep_sky_round(Frame& frame);

}  // namespace qsohost::plot
