// Points, with error bars or colours: one path for the markers of a series, however many.
#include <fmt/format.h>

#include <algorithm>

#include "plot/colour_map.hpp"
#include "plot/draw.hpp"
#include "plot/text.hpp"

namespace qsohost::plot {
namespace {

enum Marker { Disc, Square, Triangle, Diamond, Cross, Plus, Circle, TriangleDown, Markers };

Marker marker_of(const Style& style) {
  return static_cast<Marker>(((style.marker % Markers) + Markers) % Markers);
}

void append_move(std::string& path, double x, double y) {
  path += 'M';
  append_px(path, x);
  path += ' ';
  append_px(path, y);
}

// A marker's outline from its point, in units of its size.
std::string outline(Marker marker, double size) {
  const std::string r = px(size), d = px(2 * size), minus_r = px(-size), minus_d = px(-2 * size);
  switch (marker) {
    case Triangle:
      return fmt::format("m0 {1}l{0} {2}h{3}z", r, px(-1.1 * size), px(1.9 * size), minus_d);
    case TriangleDown:
      return fmt::format("m0 {1}l{0} {2}h{3}z", r, px(1.1 * size), px(-1.9 * size), minus_d);
    case Diamond:
      return fmt::format("m0 {2}l{0} {1}l{3} {1}l{3} {2}z", px(1.1 * size), px(1.3 * size),
                         px(-1.3 * size), px(-1.1 * size));
    case Cross:
      return fmt::format("m{0} {0}l{1} {1}m0 {2}l{2} {1}", minus_r, d, minus_d);
    case Plus:
      return fmt::format("m{0} 0h{1}m{0} {0}v{1}", minus_r, d);
    case Circle:
      return fmt::format("m{0} 0a{1} {1} 0 1 0 {2} 0a{1} {1} 0 1 0 {3} 0z", minus_r, r, d, minus_d);
    default:
      return "h0";  // discs and squares are the ends of lines without length
  }
}

// Appends a bar for each point that has both ends.
struct ErrorBars {
  const Frame& frame;
  std::string& path;
  bool along_x;

  void add(double x, double y, double low, double high) {
    const AxisMap& axis = along_x ? frame.x : frame.y;
    if (!(low <= high)) return;
    const double from = axis.px_clamped(low), to = axis.px_clamped(high);
    append_move(path, along_x ? from : frame.x.px(x), along_x ? frame.y.px(y) : from);
    path += along_x ? 'H' : 'V';
    append_px(path, to);
  }
};

std::string bars_of(const Points& points, const Frame& frame) {
  std::string path;
  const auto add_all = [&](const std::vector<double>& low, const std::vector<double>& high,
                           bool along_x) {
    ErrorBars bars{frame, path, along_x};
    const std::size_t n = std::min({points.x.size(), points.y.size(), low.size(), high.size()});
    const AxisMap& other = along_x ? frame.y : frame.x;
    for (std::size_t i = 0; i < n; ++i) {
      const double x = points.x[i], y = points.y[i];
      if (!frame.x.is_drawable(x) || !frame.y.is_drawable(y)) continue;
      if (other.is_inside(along_x ? y : x)) bars.add(x, y, low[i], high[i]);
    }
  };
  add_all(points.x_low, points.x_high, true);
  add_all(points.y_low, points.y_high, false);
  return path;
}

// Calls visit(i) for each point inside of the axes.
template <class Visit>
void each_inside(const std::vector<double>& x, const std::vector<double>& y, const Frame& frame,
                 Visit visit) {
  for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
    if (frame.x.is_inside(x[i]) && frame.y.is_inside(y[i])) visit(i);
  }
}

}  // namespace

void append_marker(std::string& path, const Style& style, double x, double y, double size) {
  append_move(path, x, y);
  path += outline(marker_of(style), size);
}

std::string marker_attributes(const Style& style, double size) {
  switch (marker_of(style)) {
    case Disc:
      return fmt::format("class=\"dots round\" stroke-width=\"{}\"", px(2 * size));
    case Square:
      return fmt::format("class=\"dots square\" stroke-width=\"{}\"", px(1.8 * size));
    case Cross:
    case Plus:
    case Circle:
      return "class=\"open\"";
    default:
      return "class=\"mark\"";
  }
}

void draw(const Points& points, const Frame& frame, std::string& out) {
  const std::string bars = bars_of(points, frame);
  std::string markers;
  const std::string shape = outline(marker_of(points.style), points.size);
  each_inside(points.x, points.y, frame, [&](std::size_t i) {
    append_move(markers, frame.x.px(points.x[i]), frame.y.px(points.y[i]));
    markers += shape;
  });
  if (bars.empty() && markers.empty()) return;
  out += fmt::format("<g class=\"{}\">", colour_class(points.style));
  if (!bars.empty()) out += fmt::format("<path class=\"bar\" d=\"{}\"/>", bars);
  if (!markers.empty()) {
    out +=
        fmt::format("<path {} d=\"{}\"/>", marker_attributes(points.style, points.size), markers);
  }
  out += "</g>\n";
}

void draw(const ColouredPoints& points, const Frame& frame, std::string& out) {
  constexpr std::size_t kLevels = 32;  // a path each
  const ColourScale colours = colour_scale(points);
  std::vector<std::string> paths(kLevels);
  each_inside(points.x, points.y, frame, [&](std::size_t i) {
    if (i >= points.value.size() || !colours.has(points.value[i])) return;
    const auto level = static_cast<std::size_t>(colours.fraction(points.value[i]) * kLevels);
    std::string& path = paths[std::min(level, kLevels - 1)];
    append_move(path, frame.x.px(points.x[i]), frame.y.px(points.y[i]));
    path += "h0";
  });
  for (std::size_t level = 0; level < kLevels; ++level) {
    if (paths[level].empty()) continue;
    out +=
        fmt::format("<path class=\"map dots round\" stroke-width=\"{}\" color=\"{}\" d=\"{}\"/>\n",
                    px(2 * points.size), hex(map_colour((level + 0.5) / kLevels)), paths[level]);
  }
}

}  // namespace qsohost::plot
