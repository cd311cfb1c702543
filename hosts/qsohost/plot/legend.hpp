// The names of the series, in rows above the data: there they cover nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plot/frame.hpp"

namespace qsohost::plot {

struct Symbol {
  enum class Kind : std::uint8_t { Marker, Line, Block, Fill, Hatch };
  Kind kind = Kind::Marker;
  Style style{};
  double size = 3;  // of a marker
};

// Series with equal labels share an entry: a line and the band around it.
struct LegendEntry {
  std::string label{};
  std::vector<Symbol> symbols{};
  double x = 0, y = 0;  // of the symbols' left end and the text's baseline, in the legend
  std::vector<std::string> lines{};  // the label, broken
};
struct Legend {
  std::vector<LegendEntry> entries{};
  double width = 0, height = 0;
};

// In rows of this width. Of the regions, only these.
Legend legend_of(const Figure& figure, const std::vector<const Region*>& regions, double width);
void draw_legend(const Legend& legend, const std::string& figure_id, double left, double top,
                 std::string& out);

}  // namespace qsohost::plot
