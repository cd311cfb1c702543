// Colours of a third quantity: dark blue for small values, yellow for large ones (viridis, by
// Nathaniel Smith and Stefan van der Walt, CC0).
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "plot/frame.hpp"

namespace qsohost::plot {

struct Rgb {
  std::uint8_t red = 0, green = 0, blue = 0;
};

// At 0 to 1.
Rgb map_colour(double fraction);
std::string hex(Rgb colour);  // "#440154"

// Puts values on the colour map.
class ColourScale {
 public:
  // Of those values that can be drawn. `is_log` needs values above 0; the others have no colour.
  ColourScale(std::span<const double> values, bool is_log);

  bool empty() const { return empty_; }
  Scale scale() const { return scale_; }
  const Range& range() const { return range_; }
  bool has(double value) const { return is_drawable(scale_, value); }
  double fraction(double value) const;  // 0 to 1, of a value that it has

 private:
  Scale scale_;
  Range range_{};
  bool empty_ = true;
};
ColourScale colour_scale(const Density& density);
ColourScale colour_scale(const ColouredPoints& points);
ColourScale colour_scale(const SkyCells& sky);

}  // namespace qsohost::plot
