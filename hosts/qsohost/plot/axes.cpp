#include "plot/axes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plot/colour_map.hpp"
#include "plot/escape.hpp"
#include "plot/text.hpp"

namespace qsohost::plot {
namespace {

constexpr double kMajor = 6, kMinor = 3;  // px, lengths of ticks

// A text with its exponent raised.
std::string tick_markup(const std::string& text, const std::string& exponent) {
  if (exponent.empty()) return text;
  return fmt::format("{}<tspan dy=\"-4.5\" font-size=\"8.5\">{}</tspan>", text, exponent);
}

double tick_width(const Tick& tick) {
  return text_width(tick.text, kTickFont) + text_width(tick.exponent, 8.5);
}

std::string tick_element(double x, double y, const char* anchor, const Tick& tick) {
  return fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"{}\" class=\"tick\">{}</text>", px(x),
                     px(y), anchor, tick_markup(tick.text, tick.exponent));
}

// "tau (d)", and what the ticks' texts are in units of.
std::string label_markup(const std::string& label, const Ticks& ticks) {
  if (ticks.exponent == 0) return html_escaped(label);
  Tick power{.text = (label.empty() ? "\xC3\x97"
                                      "10"
                                    : "  \xC3\x97"
                                      "10")};
  power.exponent =
      fmt::format("{}{}", ticks.exponent < 0 ? "\xE2\x88\x92" : "", std::abs(ticks.exponent));
  return html_escaped(label) + tick_markup(power.text, power.exponent);
}

std::string label_element(double x, double y, bool is_upright, const std::string& markup) {
  const std::string turn =
      is_upright ? fmt::format(" transform=\"rotate(-90 {} {})\"", px(x), px(y)) : "";
  return fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" class=\"label\"{}>{}</text>\n",
                     px(x), px(y), turn, markup);
}

// A label as long as its axis at most.
std::string fitted(const std::string& label, double length) {
  return wrapped(label, length, kLabelFont, 1).front();
}

Ticks ticks_of(const AxisMap& axis, double length, double per_label) {
  return ticks(axis.scale(), axis.range().lo, axis.range().hi,
               static_cast<int>(length / per_label));
}

void draw_colour_bar(const std::string& label, const ColourScale& colours, const Frame& frame,
                     double left, const std::string& id, std::string& out) {
  const Rect bar{left, frame.area.top, 12, frame.area.height};
  out += fmt::format("<linearGradient id=\"{}\" x1=\"0\" y1=\"1\" x2=\"0\" y2=\"0\">", id);
  for (int i = 0; i <= 16; ++i) {
    out += fmt::format("<stop offset=\"{}\" stop-color=\"{}\"/>", number(i / 16.0),
                       hex(map_colour(i / 16.0)));
  }
  out += fmt::format(
      "</linearGradient>\n<rect class=\"map\" fill=\"url(#{})\" x=\"{}\" y=\"{}\" "
      "width=\"{}\" height=\"{}\"/>\n",
      id, px(bar.left), px(bar.top), px(bar.width), px(bar.height));
  const AxisMap axis(colours.scale(), colours.range(), bar.bottom(), bar.top);
  const Ticks marks = ticks_of(axis, bar.height, 40);
  std::string lines;
  for (const Tick& tick : marks.ticks) {
    const double y = axis.px(tick.value);
    lines += fmt::format("M{} {}h{}", px(bar.right()), px(y), tick.is_minor ? "-3" : "-5");
    if (!tick.is_minor) out += tick_element(bar.right() + 5, y + 4, "start", tick);
  }
  out += fmt::format("<path class=\"axis\" d=\"M{} {}H{}V{}H{}z{}\"/>\n", px(bar.left), px(bar.top),
                     px(bar.right()), px(bar.bottom()), px(bar.left), lines);
  out += label_element(bar.right() + 20 + widest_tick(marks), bar.top + bar.height / 2, true,
                       label_markup(fitted(label, bar.height), marks));
}

template <class Visit>
void each_colour_scale(const Figure& figure, Visit visit) {
  for (const Layer& layer : figure.layers) {
    if (const auto* density = std::get_if<Density>(&layer)) {
      visit(density->label, colour_scale(*density));
    } else if (const auto* points = std::get_if<ColouredPoints>(&layer)) {
      visit(points->label, colour_scale(*points));
    } else if (const auto* sky = std::get_if<SkyCells>(&layer)) {
      visit(sky->label, colour_scale(*sky));
    }
  }
}

}  // namespace

double widest_tick(const Ticks& ticks) {
  double widest = 0;
  for (const Tick& tick : ticks.ticks) widest = std::max(widest, tick_width(tick));
  return widest;
}

Ticks x_ticks(const Frame& frame) {
  // Long texts need more room each.
  const Ticks wide = ticks_of(frame.x, frame.area.width, 60);
  const double needed = widest_tick(wide) + 18;
  return needed <= 60 ? wide : ticks_of(frame.x, frame.area.width, needed);
}

Ticks y_ticks(const Frame& frame) {
  return ticks_of(frame.y, frame.area.height, 30);
}

void draw_x_axis(const Axis& axis, const Frame& frame, std::string& out) {
  const Rect& area = frame.area;
  const Ticks marks = x_ticks(frame);
  std::string lines;
  for (const Tick& tick : marks.ticks) {
    const double x = frame.x.px(tick.value);
    const double length = tick.is_minor ? kMinor : kMajor;
    lines += fmt::format("M{0} {1}v{2}M{0} {3}v{4}", px(x), px(area.bottom()), px(-length),
                         px(area.top), px(length));
    if (!tick.is_minor) out += tick_element(x, area.bottom() + 15, "middle", tick);
  }
  out += fmt::format("\n<path class=\"axis\" d=\"{}\"/>\n", lines);
  out += label_element(area.left + area.width / 2, area.bottom() + 34, false,
                       label_markup(fitted(axis.label, area.width + 20), marks));
}

void draw_y_axis(const Axis& axis, const Frame& frame, double label_x, std::string& out) {
  const Rect& area = frame.area;
  const Ticks marks = y_ticks(frame);
  std::string lines;
  for (const Tick& tick : marks.ticks) {
    const double y = frame.y.px(tick.value);
    const double length = tick.is_minor ? kMinor : kMajor;
    lines += fmt::format("M{0} {1}h{2}M{3} {1}h{4}", px(area.left), px(y), px(length),
                         px(area.right()), px(-length));
    if (!tick.is_minor) out += tick_element(area.left - 6, y + 4, "end", tick);
  }
  out += fmt::format("\n<path class=\"axis\" d=\"{}\"/>\n", lines);
  out += label_element(label_x, area.top + area.height / 2, true,
                       label_markup(fitted(axis.label, area.height + 20), marks));
}

void draw_categories(const std::vector<std::string>& names, const Frame& frame, double width,
                     std::string& out) {
  const double each = frame.area.height / static_cast<double>(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const double y = frame.area.top + each * (static_cast<double>(i) + 0.5) + 4;
    const std::string shown = wrapped(names[i], width, kTickFont, 1).front();
    const bool is_cut = shown.size() != names[i].size();
    if (is_cut) out += fmt::format("<g><title>{}</title>", html_escaped(names[i]));
    out += text_element(frame.area.left - 6, y, "end", "tick", shown);
    if (is_cut) out += "</g>";
  }
}

void draw_box(const Frame& frame, std::string& out) {
  const Rect& a = frame.area;
  out += fmt::format("<path class=\"axis\" d=\"M{} {}H{}V{}H{}z\"/>\n", px(a.left), px(a.top),
                     px(a.right()), px(a.bottom()), px(a.left));
}

std::size_t count_colour_bars(const Figure& figure) {
  std::size_t n = 0;
  each_colour_scale(figure,
                    [&](const std::string&, const ColourScale& colours) { n += !colours.empty(); });
  return n;
}

void draw_colour_bars(const Figure& figure, const Frame& frame, std::string& out) {
  std::size_t n = 0;
  each_colour_scale(figure, [&](const std::string& label, const ColourScale& colours) {
    if (colours.empty()) return;
    const double left = frame.area.right() + 14 + static_cast<double>(n) * kColourBarWidth;
    draw_colour_bar(label, colours, frame, left, fmt::format("{}-bar{}", frame.id, n), out);
    ++n;
  });
}

}  // namespace qsohost::plot
