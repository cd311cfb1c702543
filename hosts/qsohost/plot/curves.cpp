// Lines, histograms, bands, regions and texts.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plot/draw.hpp"
#include "plot/text.hpp"

namespace qsohost::plot {
namespace {

constexpr double kNameSize = 11;  // of regions' names

void append_point(std::string& path, char command, double x, double y) {
  path += command;
  append_px(path, x);
  path += ' ';
  append_px(path, y);
}

// A polyline that is interrupted where a value cannot be drawn.
std::string path_of(const std::vector<double>& x, const std::vector<double>& y,
                    const Frame& frame) {
  std::string path;
  bool is_drawing = false;
  for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
    const bool can_be = frame.x.is_drawable(x[i]) && frame.y.is_drawable(y[i]);
    if (can_be) append_point(path, is_drawing ? 'L' : 'M', frame.x.px(x[i]), frame.y.px(y[i]));
    is_drawing = can_be;
  }
  return path;
}

// A vertex of a region: infinity is the end of the axis, and so is what a logarithm cannot take.
double vertex_px(const AxisMap& axis, double value) {
  return axis.is_drawable(value) ? axis.px(value) : axis.px_clamped(value);
}

// The part of the region's bounding box that is inside of the axes.
Rect visible_box(const Region& region, const Frame& frame) {
  Range x, y;
  for (std::size_t i = 0; i < std::min(region.x.size(), region.y.size()); ++i) {
    if (std::isnan(region.x[i]) || std::isnan(region.y[i])) continue;
    x.add(frame.x.px_clamped(region.x[i]));
    y.add(frame.y.px_clamped(region.y[i]));
  }
  if (x.empty()) return {};
  return {x.lo, y.lo, x.hi - x.lo, y.hi - y.lo};
}

bool is_upright(const Region& region, const Rect& box) {
  return box.width < text_width(region.label, kNameSize) + 12;
}

// From the baseline up into the columns and back; a column between edges that cannot be drawn
// interrupts it.
std::string steps_path(const Steps& steps, const Frame& frame) {
  const double floor = frame.y.px_clamped(0);
  std::string path;
  bool is_drawing = false;
  const auto back_to_floor = [&] {
    if (is_drawing) path += 'V' + px(floor);
    is_drawing = false;
  };
  for (std::size_t i = 0; i < steps.counts.size() && i + 1 < steps.edges.size(); ++i) {
    const double left = steps.edges[i], right = steps.edges[i + 1], count = steps.counts[i];
    if (!frame.x.is_drawable(left) || !frame.x.is_drawable(right)) {
      back_to_floor();
      continue;
    }
    if (!is_drawing) append_point(path, 'M', frame.x.px(left), floor);
    is_drawing = true;
    const double top = frame.y.is_drawable(count) ? frame.y.px(count) : floor;
    path += 'V' + px(top) + 'H' + px(frame.x.px(right));
  }
  back_to_floor();
  return path;
}

}  // namespace

std::string colour_class(const Style& style) {
  if (style.colour == -1) return "ink";
  if (style.colour < -1) return "pale";
  return fmt::format("c{}", style.colour % 8);
}

std::string line_classes(const Style& style) {
  const int dash = ((style.dash % 4) + 4) % 4;
  return dash == 0 ? "line" : fmt::format("line d{}", dash);
}

void draw(const Line& line, const Frame& frame, std::string& out) {
  const std::string path = path_of(line.x, line.y, frame);
  if (path.empty()) return;
  out += fmt::format("<path class=\"{} {}\" d=\"{}\"/>\n", colour_class(line.style),
                     line_classes(line.style), path);
}

void draw(const Steps& steps, const Frame& frame, std::string& out) {
  const std::string path = steps_path(steps, frame);
  if (path.empty()) return;
  out += fmt::format("<g class=\"{}\">", colour_class(steps.style));
  if (steps.is_filled) out += fmt::format("<path class=\"fill\" d=\"{}\"/>", path);
  out += fmt::format("<path class=\"{}\" d=\"{}\"/></g>\n", line_classes(steps.style), path);
}

void draw(const Band& band, const Frame& frame, std::string& out) {
  std::string path;
  const std::size_t n = std::min({band.x.size(), band.lower.size(), band.upper.size()});
  const auto can_be = [&](std::size_t i) {
    return frame.x.is_drawable(band.x[i]) && !std::isnan(band.lower[i]) &&
           !std::isnan(band.upper[i]);
  };
  for (std::size_t i = 0; i < n;) {
    std::size_t end = i;
    while (end < n && can_be(end)) ++end;
    for (std::size_t k = i; k < end; ++k) {
      append_point(path, k == i ? 'M' : 'L', frame.x.px(band.x[k]),
                   vertex_px(frame.y, band.upper[k]));
    }
    for (std::size_t k = end; k > i; --k) {
      append_point(path, 'L', frame.x.px(band.x[k - 1]), vertex_px(frame.y, band.lower[k - 1]));
    }
    if (end > i) path += 'z';
    i = end + 1;
  }
  if (path.empty()) return;
  out += fmt::format("<path class=\"{} fill\" d=\"{}\"/>\n", colour_class(band.style), path);
}

bool has_room_for_name(const Region& region, const Frame& frame) {
  const Rect box = visible_box(region, frame);
  const double length = text_width(region.label, kNameSize) + 12;
  return (box.width >= length && box.height >= 18) || (box.height >= length && box.width >= 16);
}

void draw(const Region& region, const Frame& frame, std::string& out) {
  std::string path;
  for (std::size_t i = 0; i < std::min(region.x.size(), region.y.size()); ++i) {
    if (std::isnan(region.x[i]) || std::isnan(region.y[i])) continue;
    append_point(path, path.empty() ? 'M' : 'L', vertex_px(frame.x, region.x[i]),
                 vertex_px(frame.y, region.y[i]));
  }
  if (path.empty()) return;
  path += 'z';
  out +=
      fmt::format("<path class=\"region\" d=\"{0}\"/><path fill=\"url(#{1}-hatch)\" d=\"{0}\"/>\n",
                  path, frame.id);
  if (region.label.empty() || frame.is_in_legend(region)) return;
  const Rect box = visible_box(region, frame);
  if (is_upright(region, box)) {
    const double x = box.left + box.width / 2 + 4, y = box.top + 6;
    out += fmt::format("<g transform=\"rotate(-90 {} {})\">", px(x), px(y));
    out += text_element(x, y, "end", "name", region.label) + "</g>\n";
  } else {
    out += text_element(box.left + box.width / 2, box.top + 14, "middle", "name", region.label);
  }
}

void draw(const Text& text, const Frame& frame, std::string& out) {
  if (!frame.x.is_inside(text.x) || !frame.y.is_inside(text.y)) return;
  out += text_element(frame.x.px(text.x), frame.y.px(text.y), "start", "name", text.text);
}

}  // namespace qsohost::plot
