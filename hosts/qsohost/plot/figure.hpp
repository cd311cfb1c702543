// Statistical plots as SVG: a figure is described by its axes and what is drawn in them, in data
// coordinates, and written as text. No script, no font, no style sheet from elsewhere: colours are
// CSS classes with light and dark values (style_sheet), safe for the colour-blind (Okabe and Ito,
// https://jfly.uni-koeln.de/color/), and every series has a marker or dash of its own besides.
//
// Equal figures give equal bytes. Values that are not finite (or beyond 1e300), or not above 0 on a
// logarithmic axis, are left out of the drawing and stay in the data (csv). Any text may be any
// bytes: it is escaped, and bytes that are not UTF-8 become U+FFFD.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace qsohost::plot {

enum class Scale : std::uint8_t { Linear, Log };

struct Axis {
  std::string label{};  // with unit: "tau, rest frame (d)"
  Scale scale = Scale::Linear;
  // Where the axis begins and ends; by default just outside of all that is drawn (regions and texts
  // do not count).
  std::optional<double> min{}, max{};
  bool is_reversed = false;  // magnitudes: small values at the top
};

// Colour, marker and dash of a series. Bands of surveys always have the same (style_of_band).
struct Style {
  int colour = 0;  // 0 to 7: of the palette; -1: the colour of text; -2: pale
  int marker = 0;  // 0 to 7: disc, square, triangle, diamond, cross, plus, circle, triangle down
  int dash = 0;    // 0 to 3: solid, dashed, dotted, dash-dotted
};
Style style_of_band(std::string_view group);  // "ztf.g", "gaia.bp"; unknown ones by their name
Style style_of_series(std::size_t position);

// Points, with error bars where the vectors are not empty (then of equal length): half-widths, or
// lower and upper ends.
struct Points {
  std::string label;  // in the legend; "" = not there
  std::vector<double> x, y;
  std::vector<double> x_low{}, x_high{}, y_low{}, y_high{};  // ends of the bars
  Style style{};
  double size = 3;  // px
};

struct Line {
  std::string label;
  std::vector<double> x, y;  // a value that is not finite interrupts the line
  Style style{};
};

// A histogram: counts[i] between edges[i] and edges[i + 1].
struct Steps {
  std::string label;
  std::vector<double> edges;  // ascending, one more than counts
  std::vector<double> counts;
  Style style{};
  bool is_filled = false;
};

// Bars side by side or stacked, of named categories (along y, so that names are readable; the first
// on top). The figure grows higher if it has many.
struct Bars {
  std::string label;
  std::vector<std::string> names;  // equal in all Bars of a figure
  std::vector<double> values;
  Style style{};
  bool is_stacked = false;  // begins where the Bars before end
};

struct Band {  // between two curves
  std::string label;
  std::vector<double> x, lower, upper;
  Style style{};
};

// Counts in a grid, drawn as one embedded PNG with a colour bar; cells of 0 are empty. Row-major,
// y slowest: counts[iy * (x_edges.size() - 1) + ix]. Edges are equidistant on the axis' scale.
struct Density {
  std::string label;  // of the colour bar: "objects"
  std::vector<double> x_edges, y_edges;
  std::vector<double> counts;
  bool is_log = true;              // colour by the logarithm of the count
  std::vector<double> contours{};  // fractions of all counts inside a contour: {0.39, 0.86}
};

// Points coloured by a third quantity, with a colour bar.
struct ColouredPoints {
  std::string label;  // of the colour bar
  std::vector<double> x, y, value;
  double size = 3;
};

// A shaded region with its name, e.g. where values are not constrained: a polygon. Infinite values
// are the ends of the axes; so are values of 0 and less on a logarithmic axis.
struct Region {
  std::string label;
  std::vector<double> x, y;
};

struct Text {
  double x = 0, y = 0;
  std::string text;
};

// Counts on the sky, made by sky_map.hpp. A figure with this layer is a map in Mollweide's
// projection, RA growing to the left, without axes and without other layers.
struct SkyCells {
  std::string label;  // of the colour bar
  int rows = 0;       // cells of equal area: see SkyCounts
  std::vector<double> counts;
};

using Layer =
    std::variant<Points, Line, Steps, Bars, Band, Density, ColouredPoints, Region, Text, SkyCells>;

struct Figure {
  std::string id;  // letters, digits, '-': of the SVG element and of its parts
  std::string title;
  std::string alt{};      // what is to be seen, in a sentence, for those who cannot
  std::string caption{};  // below: how many objects, what was left out
  Axis x{}, y{};
  std::vector<Layer> layers{};  // in drawing order
  int width = 520, height = 380;
};

// One <svg> element, well-formed XML by itself.
std::string svg(const Figure& figure);
// The same as a file of its own: with the style sheet inside.
std::string svg_file(const Figure& figure);
// The values of all layers (of grids, the cells that are not 0): one table by RFC 4180, columns
// "series,x,y,..." with what the layers have, nine significant digits.
std::string csv(const Figure& figure);
// CSS of all figures, for light and dark.
std::string style_sheet();

}  // namespace qsohost::plot
