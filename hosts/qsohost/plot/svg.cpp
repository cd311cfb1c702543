// The figure as a whole: where title, legend, axes and colour bars are, and what is between.
#include <fmt/format.h>

#include <algorithm>

#include "plot/axes.hpp"
#include "plot/draw.hpp"
#include "plot/escape.hpp"
#include "plot/figure.hpp"
#include "plot/legend.hpp"
#include "plot/sky_map.hpp"
#include "plot/text.hpp"

namespace qsohost::plot {
namespace {

constexpr double kTitleFont = 14, kTitleLine = 18;  // px
constexpr double kBold = 1.13;                      // how much wider bold texts are
constexpr double kMargin = 12;
constexpr double kLeastWidth = 80, kLeastHeight = 120, kLeastCategory = 18;

struct Layout {
  Frame frame{};
  Extents extents{};
  std::vector<std::string> title{};
  Legend legend{};
  double legend_top = 0;
  double label_x = 0;  // of y's label
  double width = 0, height = 0;
  std::vector<std::string> categories{};
  bool is_sky = false;
};

std::string safe_id(const std::string& id) {
  std::string safe;
  for (const char c : id) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '_';
    safe += is_plain ? c : '-';
  }
  return safe.empty() ? "figure" : safe;
}

const SkyCells* sky_of(const Figure& figure) {
  for (const Layer& layer : figure.layers) {
    if (const auto* sky = std::get_if<SkyCells>(&layer)) return sky;
  }
  return nullptr;
}

std::vector<std::string> categories_of(const Figure& figure) {
  for (const Layer& layer : figure.layers) {
    if (const auto* bars = std::get_if<Bars>(&layer)) return bars->names;
  }
  return {};
}

AxisMap axis_map(const Axis& axis, const Extent& extent, double px_lo, double px_hi) {
  if (axis.is_reversed) std::swap(px_lo, px_hi);
  return {axis.scale, axis_range(axis, extent), px_lo, px_hi};
}

// Where y's ticks or names and its label are; returns what the area loses on the left.
double left_margin(const Figure& figure, Layout& layout) {
  if (layout.is_sky) return kMargin;
  double texts = 0;
  if (layout.categories.empty()) {
    texts = widest_tick(y_ticks(layout.frame));
  } else {
    for (const std::string& name : layout.categories) {
      texts = std::max(texts, text_width(name, kTickFont));
    }
    texts = std::min(texts, 0.4 * layout.width);
  }
  const bool has_label = !figure.y.label.empty() || texts == 0;
  layout.label_x = kMargin + 4;
  return kMargin + texts + 10 + (has_label ? kLabelFont + 2 : 0);
}

// The area goes up to a margin on the right.
void set_width(const Figure& figure, double right, Layout& layout) {
  Rect& area = layout.frame.area;
  area.width = std::max(layout.width - area.left - right, kLeastWidth);
  layout.width = std::max(layout.width, area.right() + right);
  layout.frame.x = axis_map(figure.x, layout.extents.x, area.left, area.right());
}

Layout layout_of(const Figure& figure, const std::vector<const Region*>& legend_regions) {
  Layout layout;
  layout.width = std::max(figure.width, 200);
  layout.is_sky = sky_of(figure) != nullptr;
  layout.extents = layout.is_sky ? sky_extents() : extents_of(figure);
  if (!layout.is_sky) layout.categories = categories_of(figure);
  Frame& frame = layout.frame;
  frame.id = safe_id(figure.id);
  frame.legend_regions = legend_regions;

  const double text_span = layout.width - 2 * kMargin;
  if (!figure.title.empty()) layout.title = wrapped(figure.title, text_span, kBold * kTitleFont, 3);
  layout.legend = legend_of(figure, legend_regions, text_span);
  layout.legend_top = kMargin + kTitleLine * static_cast<double>(layout.title.size());
  Rect& area = frame.area;
  area.top = layout.legend_top + layout.legend.height + (layout.title.empty() ? 0 : 4);
  const double bottom = layout.is_sky ? kMargin : 44;
  const double least =
      std::max(kLeastHeight, kLeastCategory * static_cast<double>(layout.categories.size()));
  area.height = std::max(figure.height - area.top - bottom, least);
  layout.height = area.bottom() + bottom;

  Axis y = figure.y;
  if (!layout.categories.empty()) {  // the first on top
    y = {.label = figure.y.label, .scale = Scale::Linear, .is_reversed = true};
  }
  frame.y = axis_map(y, layout.extents.y, area.bottom(), area.top);
  area.left = left_margin(figure, layout);
  const double bars = kColourBarWidth * static_cast<double>(count_colour_bars(figure));
  set_width(figure, 16 + bars, layout);
  if (layout.is_sky) {
    keep_sky_round(frame);
  } else {
    const double half_a_tick = widest_tick(x_ticks(frame)) / 2 + 4;  // at the end of the axis
    set_width(figure, std::max(16 + bars, half_a_tick), layout);
  }
  return layout;
}

// Regions without room for their names in a first layout have them in the legend of the second.
Layout layout_of(const Figure& figure) {
  Layout layout = layout_of(figure, {});
  std::vector<const Region*> cramped;
  for (const Layer& layer : figure.layers) {
    const auto* region = std::get_if<Region>(&layer);
    if (region != nullptr && !has_room_for_name(*region, layout.frame)) cramped.push_back(region);
  }
  return cramped.empty() ? layout : layout_of(figure, cramped);
}

void draw_layers(const Figure& figure, const Frame& frame, std::string& out) {
  bool has_bars = false;  // drawn all together, where the first are
  for (const Layer& layer : figure.layers) {
    std::visit(
        [&](const auto& one) {
          using Kind = std::decay_t<decltype(one)>;
          if constexpr (std::is_same_v<Kind, Bars>) {
            if (!has_bars) draw_bars(place_bars(figure), frame, out);
            has_bars = true;
          } else if constexpr (!std::is_same_v<Kind, SkyCells>) {
            draw(one, frame, out);
          }
        },
        layer);
  }
}

void draw_definitions(const Frame& frame, std::string& out) {
  const Rect& a = frame.area;
  out += fmt::format(
      "<clipPath id=\"{0}-clip\"><rect x=\"{1}\" y=\"{2}\" width=\"{3}\" "
      "height=\"{4}\"/></clipPath>\n"
      "<pattern id=\"{0}-hatch\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" "
      "patternTransform=\"rotate(45)\"><path class=\"hatch\" d=\"M0 0v7\"/></pattern>\n",
      frame.id, px(a.left), px(a.top), px(a.width), px(a.height));
}

void draw_axes(const Figure& figure, const Layout& layout, std::string& out) {
  draw_box(layout.frame, out);
  draw_x_axis(figure.x, layout.frame, out);
  if (layout.categories.empty()) {
    draw_y_axis(figure.y, layout.frame, layout.label_x, out);
  } else {
    draw_categories(layout.categories, layout.frame, 0.4 * layout.width, out);
  }
}

// Above the area if it is not too wide.
double legend_left(const Layout& layout) {
  const double most = layout.width - kMargin - layout.legend.width;
  return std::max(kMargin, std::min(layout.frame.area.left, most));
}

std::string body(const Figure& figure, const Layout& layout) {
  std::string out;
  const Frame& frame = layout.frame;
  for (std::size_t i = 0; i < layout.title.size(); ++i) {
    out += text_element(layout.width / 2, kMargin + 10 + kTitleLine * static_cast<double>(i),
                        "middle", "title", layout.title[i]);
  }
  draw_legend(layout.legend, frame.id, legend_left(layout), layout.legend_top, out);
  if (const SkyCells* sky = sky_of(figure)) {
    draw_sky(*sky, frame, out);
    draw_colour_bars(figure, frame, out);
    return out;
  }
  draw_definitions(frame, out);
  out += fmt::format("<g clip-path=\"url(#{}-clip)\">\n", frame.id);
  draw_layers(figure, frame, out);
  out += "</g>\n";
  draw_axes(figure, layout, out);
  draw_colour_bars(figure, frame, out);
  if (layout.extents.empty()) {
    out += text_element(frame.area.left + frame.area.width / 2,
                        frame.area.top + frame.area.height / 2, "middle", "empty", "no data");
  }
  return out;
}

std::string element(const Figure& figure, const std::string& style) {
  const Layout layout = layout_of(figure);
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" id=\"{0}\" viewBox=\"0 0 {1} {2}\" "
      "width=\"{1}\" height=\"{2}\" role=\"img\" aria-labelledby=\"{0}-title {0}-desc\">\n"
      "<title id=\"{0}-title\">{3}</title>\n<desc id=\"{0}-desc\">{4}</desc>\n{5}"
      "<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n{6}</svg>",
      layout.frame.id, px(layout.width), px(layout.height), html_escaped(figure.title),
      html_escaped(figure.alt), style, body(figure, layout));
}

}  // namespace

std::string svg(const Figure& figure) {
  return element(figure, "");
}

std::string svg_file(const Figure& figure) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" +
         element(figure, "<style>\n" + style_sheet() + "</style>\n") + "\n";
}

}  // namespace qsohost::plot
