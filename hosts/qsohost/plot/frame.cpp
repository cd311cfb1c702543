#include "plot/frame.hpp"

#include <algorithm>
#include <cmath>
#include <span>

namespace qsohost::plot {
namespace {

constexpr double kLargest = 1e300;    // leaves room for differences and margins
constexpr double kSmallest = 1e-300;  // of logarithmic axes

// Collects what each layer takes up.
class FrameCollector {
 public:
  FrameCollector(const Figure& figure, Extents& out) : figure_(figure), out_(out) {}

  void operator()(const Points& p) {
    const auto whole = [](std::span<const double> v, std::size_t i, double other) {
      return i < v.size() ? v[i] : other;
    };
    for (std::size_t i = 0; i < std::min(p.x.size(), p.y.size()); ++i) {
      if (!point(p.x[i], p.y[i])) continue;
      point(whole(p.x_low, i, p.x[i]), p.y[i]);
      point(whole(p.x_high, i, p.x[i]), p.y[i]);
      point(p.x[i], whole(p.y_low, i, p.y[i]));
      point(p.x[i], whole(p.y_high, i, p.y[i]));
    }
  }
  void operator()(const Line& l) {
    for (std::size_t i = 0; i < std::min(l.x.size(), l.y.size()); ++i) point(l.x[i], l.y[i]);
  }
  void operator()(const Steps& s) {
    for (std::size_t i = 0; i < std::min(s.edges.size(), s.counts.size() + 1); ++i) {
      add(figure_.x, out_.x.cells, s.edges[i]);
    }
    if (figure_.y.scale == Scale::Linear && !s.counts.empty()) add(figure_.y, out_.y.cells, 0);
    for (const double count : s.counts) add(figure_.y, out_.y.points, count);
  }
  void operator()(const Band& b) {
    const std::size_t n = std::min({b.x.size(), b.lower.size(), b.upper.size()});
    for (std::size_t i = 0; i < n; ++i) {
      point(b.x[i], b.lower[i]);
      point(b.x[i], b.upper[i]);
    }
  }
  void operator()(const Density& d) {
    for (const double x : d.x_edges) add(figure_.x, out_.x.cells, x);
    for (const double y : d.y_edges) add(figure_.y, out_.y.cells, y);
  }
  void operator()(const ColouredPoints& p) {
    for (std::size_t i = 0; i < std::min(p.x.size(), p.y.size()); ++i) point(p.x[i], p.y[i]);
  }
  void operator()(const Bars&) {}  // all together, by place_bars
  void operator()(const Region&) {}
  void operator()(const Text&) {}
  void operator()(const SkyCells&) {}

 private:
  static void add(const Axis& axis, Range& range, double value) {
    if (is_drawable(axis.scale, value)) range.add(value);
  }
  bool point(double x, double y) {
    if (!is_drawable(figure_.x.scale, x) || !is_drawable(figure_.y.scale, y)) return false;
    out_.x.points.add(x);
    out_.y.points.add(y);
    return true;
  }

  const Figure& figure_;
  Extents& out_;
};

void add_bars(const Figure& figure, const BarPlaces& bars, Extents& extents) {
  if (bars.categories == 0) return;
  extents.y.cells.add(0);
  extents.y.cells.add(static_cast<double>(bars.categories));
  const bool is_log = figure.x.scale == Scale::Log;
  if (!is_log) extents.x.cells.add(0);
  Range& ends = extents.x.points;
  for (const BarPlace& place : bars.places) {
    for (const auto* side : {&place.from, &place.to}) {
      for (const double end : *side) {
        if (is_drawable(figure.x.scale, end)) ends.add(end);
      }
    }
  }
  if (ends.empty()) return;
  if (is_log) ends.add(ends.lo / 2);  // the shortest bar is to be seen
  if (bars.are_stacked()) return;
  // Room for the numbers behind the bars.
  ends.add(is_log ? ends.hi * std::min(std::pow(ends.hi / ends.lo, 0.18), kLargest / ends.hi)
                  : ends.hi + 0.17 * (ends.hi - std::min(ends.lo, 0.0)));
}

double to_scale(Scale scale, double value) {
  return scale == Scale::Log ? std::log10(value) : value;
}
double from_scale(Scale scale, double position) {
  // Margins of axes over hundreds of decades end before infinity and above 0.
  return scale == Scale::Log ? std::pow(10, std::clamp(position, -305.0, 305.0)) : position;
}

// Widens what is too narrow for ticks that can be told apart.
Range widened(Scale scale, Range range) {
  if (scale == Scale::Log) {
    if (range.hi / range.lo > 1 + 1e-9) return range;
    return {range.lo / 1.5, range.hi * 1.5};
  }
  const double size = std::max(std::abs(range.lo), std::abs(range.hi));
  if (range.hi - range.lo > 1e-9 * size && range.hi - range.lo > kSmallest) return range;
  const double half = size < kSmallest ? 0.5 : 0.05 * size;
  return {range.lo - half, range.hi + half};
}

}  // namespace

bool is_drawable(Scale scale, double value) {
  return std::abs(value) <= kLargest && (scale == Scale::Linear || value >= kSmallest);
}

void Range::add(double value) {
  lo = std::min(lo, value);
  hi = std::max(hi, value);
}

AxisMap::AxisMap(Scale scale, Range range, double px_lo, double px_hi)
    : scale_(scale),
      range_(range),
      px_lo_(px_lo),
      px_hi_(px_hi),
      origin_(to_scale(scale, range.lo)),
      unit_(to_scale(scale, range.hi) - origin_) {}

double AxisMap::position(double value) const {
  return (to_scale(scale_, value) - origin_) / unit_;
}

double AxisMap::px(double value) const {
  return px_lo_ + (px_hi_ - px_lo_) * position(value);
}

bool AxisMap::is_inside(double value) const {
  return is_drawable(value) && std::abs(position(value) - 0.5) <= 0.5 + 1e-9;
}

double AxisMap::px_clamped(double value) const {
  if (std::isnan(value)) return px_lo_;
  if (value <= range_.lo) return px_lo_;
  if (value >= range_.hi) return px_hi_;
  return px(value);
}

bool Frame::is_in_legend(const Region& region) const {
  return std::find(legend_regions.begin(), legend_regions.end(), &region) != legend_regions.end();
}

Extents extents_of(const Figure& figure) {
  Extents extents;
  FrameCollector collect(figure, extents);
  for (const Layer& layer : figure.layers) std::visit(collect, layer);
  add_bars(figure, place_bars(figure), extents);
  return extents;
}

Range axis_range(const Axis& axis, const Extent& extent) {
  Range range = extent.cells;
  if (!extent.points.empty()) {
    const Range points = widened(axis.scale, extent.points);
    const double lo = to_scale(axis.scale, points.lo);
    const double hi = to_scale(axis.scale, points.hi);
    const double margin = 0.04 * (hi - lo);
    // No margin beyond the edges of cells: histograms stand on their axis.
    const bool has_cells = !extent.cells.empty();
    if (!has_cells || points.lo < extent.cells.lo) range.add(from_scale(axis.scale, lo - margin));
    if (!has_cells || points.hi > extent.cells.hi) range.add(from_scale(axis.scale, hi + margin));
  }
  if (range.empty()) range = axis.scale == Scale::Log ? Range{1, 10} : Range{0, 1};
  const auto is_set = [&](const std::optional<double>& limit) {
    return limit && is_drawable(axis.scale, *limit);
  };
  if (is_set(axis.min)) range.lo = *axis.min;
  if (is_set(axis.max)) range.hi = *axis.max;
  // Only one end was set, beyond all data.
  if (range.lo > range.hi && is_set(axis.min) != is_set(axis.max)) {
    (is_set(axis.min) ? range.hi : range.lo) = is_set(axis.min) ? range.lo : range.hi;
  }
  if (range.lo > range.hi) std::swap(range.lo, range.hi);
  return widened(axis.scale, range);
}

BarPlaces place_bars(const Figure& figure) {
  BarPlaces all;
  for (const Layer& layer : figure.layers) {
    const auto* bars = std::get_if<Bars>(&layer);
    if (bars == nullptr) continue;
    const bool is_stacked = bars->is_stacked && !all.places.empty();
    BarPlace place{.bars = bars, .slot = is_stacked ? all.slots - 1 : all.slots};
    if (!is_stacked) ++all.slots;
    for (std::size_t i = 0; i < std::min(bars->names.size(), bars->values.size()); ++i) {
      const double begin =
          is_stacked && i < all.places.back().to.size() ? all.places.back().to[i] : 0;
      const double value = is_drawable(Scale::Linear, bars->values[i]) ? bars->values[i] : 0;
      place.from.push_back(begin);
      place.to.push_back(begin + value);
    }
    all.categories = std::max(all.categories, place.to.size());
    all.places.push_back(std::move(place));
  }
  return all;
}

}  // namespace qsohost::plot
