// From data to pixels.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "plot/figure.hpp"

namespace qsohost::plot {

struct Rect {
  double left = 0, top = 0, width = 0, height = 0;
  double right() const { return left + width; }
  double bottom() const { return top + height; }
};

// Can the value be drawn on such an axis?
bool is_drawable(Scale scale, double value);

struct Range {
  double lo = std::numeric_limits<double>::infinity();
  double hi = -std::numeric_limits<double>::infinity();
  bool empty() const { return lo > hi; }
  void add(double value);
};

// One axis with its limits, put on an interval of pixels.
class AxisMap {
 public:
  AxisMap() = default;
  // The pixels of the axis' lower and upper end.
  AxisMap(Scale scale, Range range, double px_lo, double px_hi);

  Scale scale() const { return scale_; }
  const Range& range() const { return range_; }
  bool is_inside(double value) const;  // drawable and within the limits
  bool is_drawable(double value) const { return plot::is_drawable(scale_, value); }
  double px(double value) const;          // of a drawable value; may be outside of the interval
  double px_clamped(double value) const;  // at the ends if beyond; the lower one if not drawable

 private:
  double position(double value) const;

  Scale scale_ = Scale::Linear;
  Range range_{0, 1};
  double px_lo_ = 0, px_hi_ = 1;
  double origin_ = 0, unit_ = 1;
};

// What the layers take up along one axis.
struct Extent {
  Range points{};  // gets a margin
  Range cells{};   // edges of histograms and grids: the axis may end just there
};
struct Extents {
  Extent x, y;
  bool empty() const { return x.points.empty() && x.cells.empty(); }
};
Extents extents_of(const Figure& figure);

// The limits of an axis: those that the figure sets, else from what is drawn. Never empty.
Range axis_range(const Axis& axis, const Extent& extent);

// The area where data are drawn, and what layers must know to draw there.
struct Frame {
  std::string id{};  // of the figure, safe
  Rect area{};
  AxisMap x{}, y{};
  std::vector<const Region*> legend_regions{};  // without room for their names
  bool is_in_legend(const Region& region) const;
};

// All bars of a figure, in order, and where they are.
struct BarPlace {
  const Bars* bars = nullptr;
  std::size_t slot = 0;              // side by side: the how many-th from the top
  std::vector<double> from{}, to{};  // of each bar
};
struct BarPlaces {
  std::vector<BarPlace> places{};
  std::size_t slots = 0;
  std::size_t categories = 0;
  bool are_stacked() const { return places.size() > slots; }
};
BarPlaces place_bars(const Figure& figure);

}  // namespace qsohost::plot
