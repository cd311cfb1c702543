#include "plot/legend.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "plot/draw.hpp"
#include "plot/text.hpp"

namespace qsohost::plot {
namespace {

constexpr double kFont = 11.5;
constexpr double kSymbol = 22, kGap = 6;  // px, of the symbol and behind it
constexpr double kLine = 16;              // px from line to line
constexpr double kBetween = 14;           // px between entries

// Symbols of a layer, with the label of their entry.
class LegendCollector {
 public:
  LegendCollector(Legend& legend, const std::vector<const Region*>& regions)
      : legend_(legend), regions_(regions) {}

  void operator()(const Points& p) { add(p.label, {Symbol::Kind::Marker, p.style, p.size}); }
  void operator()(const Line& l) { add(l.label, {Symbol::Kind::Line, l.style}); }
  void operator()(const Steps& s) {
    if (s.is_filled) add(s.label, {Symbol::Kind::Fill, s.style});
    add(s.label, {Symbol::Kind::Line, s.style});
  }
  void operator()(const Bars& b) { add(b.label, {Symbol::Kind::Block, b.style}); }
  void operator()(const Band& b) { add(b.label, {Symbol::Kind::Fill, b.style}); }
  void operator()(const Density& d) {
    const std::string what = d.label.empty() ? "all" : d.label;
    for (std::size_t i = 0; i < d.contours.size(); ++i) {
      add(fmt::format("{} % of {}", number(100 * d.contours[i], 3), what),
          {Symbol::Kind::Line, {.colour = -1, .dash = static_cast<int>(i)}});
    }
  }
  void operator()(const Region& r) {
    if (std::find(regions_.begin(), regions_.end(), &r) == regions_.end()) return;
    add(r.label, {Symbol::Kind::Hatch});
  }
  void operator()(const ColouredPoints&) {}
  void operator()(const Text&) {}
  void operator()(const SkyCells&) {}

 private:
  void add(const std::string& label, const Symbol& symbol) {
    if (label.empty()) return;
    const auto same = std::find_if(legend_.entries.begin(), legend_.entries.end(),
                                   [&](const LegendEntry& e) { return e.label == label; });
    if (same != legend_.entries.end()) {
      same->symbols.push_back(symbol);
    } else {
      legend_.entries.push_back({.label = label, .symbols = {symbol}});
    }
  }

  Legend& legend_;
  const std::vector<const Region*>& regions_;
};

// The symbol in a box of kSymbol width around the middle of a line of text.
void draw_symbol(const Symbol& symbol, const std::string& figure_id, double left, double middle,
                 std::string& out) {
  const double right = left + kSymbol;
  const std::string colour = colour_class(symbol.style);
  const auto box = [&](double half) {
    return fmt::format("M{} {}H{}V{}H{}z", px(left), px(middle - half), px(right),
                       px(middle + half), px(left));
  };
  switch (symbol.kind) {
    case Symbol::Kind::Marker: {
      const double size = std::clamp(symbol.size, 2.5, 4.5);
      std::string path;
      append_marker(path, symbol.style, left + kSymbol / 2, middle, size);
      out += fmt::format("<g class=\"{}\"><path {} d=\"{}\"/></g>", colour,
                         marker_attributes(symbol.style, size), path);
      break;
    }
    case Symbol::Kind::Line:
      out += fmt::format("<path class=\"{} {}\" d=\"M{} {}H{}\"/>", colour,
                         line_classes(symbol.style), px(left), px(middle), px(right));
      break;
    case Symbol::Kind::Block:
      out += fmt::format("<path class=\"{} block\" d=\"{}\"/>", colour, box(4.5));
      break;
    case Symbol::Kind::Fill:
      out += fmt::format("<path class=\"{} fill\" d=\"{}\"/>", colour, box(4.5));
      break;
    case Symbol::Kind::Hatch:
      out += fmt::format(
          "<path class=\"region\" d=\"{0}\"/><path fill=\"url(#{1}-hatch)\" d=\"{0}\"/>", box(5),
          figure_id);
      break;
  }
}

}  // namespace

Legend legend_of(const Figure& figure, const std::vector<const Region*>& regions, double width) {
  Legend legend;
  LegendCollector collect(legend, regions);
  for (const Layer& layer : figure.layers) std::visit(collect, layer);
  double x = 0, y = 0;
  std::size_t lines_in_row = 0;
  for (LegendEntry& entry : legend.entries) {
    entry.lines = wrapped(entry.label, width - kSymbol - kGap, kFont, 3);
    double widest = 0;
    for (const std::string& line : entry.lines) widest = std::max(widest, text_width(line, kFont));
    const double entry_width = kSymbol + kGap + widest + kBetween;
    if (x > 0 && x + entry_width > width + kBetween) {
      y += kLine * static_cast<double>(lines_in_row);
      x = 0;
      lines_in_row = 0;
    }
    entry.x = x;
    entry.y = y + kLine - 4;
    x += entry_width;
    legend.width = std::max(legend.width, x - kBetween);
    lines_in_row = std::max(lines_in_row, entry.lines.size());
  }
  legend.height = legend.entries.empty() ? 0 : y + kLine * static_cast<double>(lines_in_row) + 4;
  return legend;
}

void draw_legend(const Legend& legend, const std::string& figure_id, double left, double top,
                 std::string& out) {
  for (const LegendEntry& entry : legend.entries) {
    const double x = left + entry.x, y = top + entry.y;
    for (const Symbol& symbol : entry.symbols) draw_symbol(symbol, figure_id, x, y - 4, out);
    for (std::size_t i = 0; i < entry.lines.size(); ++i) {
      out += text_element(x + kSymbol + kGap, y + kLine * static_cast<double>(i), "start", "key",
                          entry.lines[i]);
    }
  }
}

}  // namespace qsohost::plot
