#include "report/side_by_side.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>

namespace qsohost::cli {
namespace {

using plot::Axis;
using plot::Figure;

constexpr double kMargin = 0.08;  // of the range; leaves room for the numbers at bars

// Of all that is drawn along an axis.
struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void add(double value, const Axis& axis) {
    if (!std::isfinite(value) || (axis.scale == plot::Scale::Log && value <= 0)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  void add(const std::vector<double>& values, const Axis& axis) {
    for (const double value : values) add(value, axis);
  }
  bool empty() const { return low > high; }
};

struct Ranges {
  Range x, y;
};

// What each kind of layer has along the axes. Categories of bars are no quantity.
struct Extent {
  const Figure& figure;
  Ranges& ranges;

  void xs(const std::vector<double>& values) const { ranges.x.add(values, figure.x); }
  void ys(const std::vector<double>& values) const { ranges.y.add(values, figure.y); }
  void operator()(const plot::Points& l) const {
    for (const auto* values : {&l.x, &l.x_low, &l.x_high}) xs(*values);
    for (const auto* values : {&l.y, &l.y_low, &l.y_high}) ys(*values);
  }
  void operator()(const plot::Line& l) const {
    xs(l.x);
    ys(l.y);
  }
  void operator()(const plot::Steps& l) const {
    xs(l.edges);
    ys(l.counts);
    ranges.y.add(0, figure.y);
  }
  void operator()(const plot::Bars& l) const {
    xs(l.values);
    ranges.x.add(0, figure.x);
  }
  void operator()(const plot::Band& l) const {
    xs(l.x);
    ys(l.lower);
    ys(l.upper);
  }
  void operator()(const plot::Density& l) const {
    xs(l.x_edges);
    ys(l.y_edges);
  }
  void operator()(const plot::ColouredPoints& l) const {
    xs(l.x);
    ys(l.y);
  }
  // These follow the data, or have no axes.
  void operator()(const plot::SkyCells&) const {}
  void operator()(const plot::Region&) const {}
  void operator()(const plot::Text&) const {}
};

Ranges ranges_of(const Figure& figure) {
  Ranges out;
  for (const plot::Layer& layer : figure.layers) std::visit(Extent{figure, out}, layer);
  if (figure.x.min) out.x.low = *figure.x.min;
  if (figure.x.max) out.x.high = *figure.x.max;
  if (figure.y.min) out.y.low = *figure.y.min;
  if (figure.y.max) out.y.high = *figure.y.max;
  return out;
}

// An end that neither figure fixes is a little outside of the data, as that of a single figure is.
void set_common(Axis& one, Axis& other, const Range& a, const Range& b) {
  if (a.empty() || b.empty() || one.scale != other.scale) return;
  const bool is_log = one.scale == plot::Scale::Log;
  const auto scaled = [&](double v) { return is_log ? std::log(v) : v; };
  const auto unscaled = [&](double v) { return is_log ? std::exp(v) : v; };
  const double low = scaled(std::min(a.low, b.low));
  const double high = scaled(std::max(a.high, b.high));
  const double margin = kMargin * (high - low);
  const bool is_low_fixed = one.min || other.min;
  const bool is_high_fixed = one.max || other.max;
  one.min = other.min = unscaled(is_low_fixed ? low : low - margin);
  one.max = other.max = unscaled(is_high_fixed ? high : high + margin);
}

bool has_bars(const Figure& figure) {
  return std::ranges::any_of(figure.layers,
                             [](const auto& l) { return std::holds_alternative<plot::Bars>(l); });
}

}  // namespace

void set_side_by_side(std::vector<Section>& sections) {
  std::map<std::string, Figure*> by_id;
  for (std::size_t i = 0; i < sections.size(); ++i) {
    for (Figure& figure : sections[i].figures) {
      if (const auto [at, is_first] = by_id.try_emplace(figure.id, &figure); !is_first) {
        Figure& other = *at->second;
        const Ranges a = ranges_of(other);
        const Ranges b = ranges_of(figure);
        set_common(other.x, figure.x, a.x, b.x);
        if (!has_bars(figure)) set_common(other.y, figure.y, a.y, b.y);
      }
    }
  }
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const std::string prefix = std::string(1, static_cast<char>('a' + i)) + "-";
    sections[i].id = prefix + sections[i].id;
    for (Figure& figure : sections[i].figures) figure.id = prefix + figure.id;
  }
}

}  // namespace qsohost::cli
