// Grids of counts: one embedded picture, a pixel a cell.
#include <fmt/format.h>

#include <algorithm>

#include "plot/colour_map.hpp"
#include "plot/contours.hpp"
#include "plot/draw.hpp"
#include "plot/png.hpp"
#include "plot/text.hpp"

namespace qsohost::plot {
namespace {

// A grid on the page: columns and rows from the lower left corner of the axes' values.
struct Grid {
  std::size_t columns = 0, rows = 0;
  double left = 0, right = 0, bottom = 0, top = 0;  // px of the first and last edges
};

Grid grid_of(const Density& density, const Frame& frame) {
  const auto& x = density.x_edges;
  const auto& y = density.y_edges;
  if (x.size() < 2 || y.size() < 2) return {};
  if (density.counts.size() < (x.size() - 1) * (y.size() - 1)) return {};
  for (const double edge : {x.front(), x.back()}) {
    if (!frame.x.is_drawable(edge)) return {};
  }
  for (const double edge : {y.front(), y.back()}) {
    if (!frame.y.is_drawable(edge)) return {};
  }
  return {x.size() - 1,         y.size() - 1,          frame.x.px(x.front()),
          frame.x.px(x.back()), frame.y.px(y.front()), frame.y.px(y.back())};
}

Picture picture_of(const Density& density, const Grid& grid, const ColourScale& colours) {
  Picture picture{static_cast<std::uint32_t>(grid.columns), static_cast<std::uint32_t>(grid.rows)};
  picture.pixels.assign(grid.columns * grid.rows, 0);
  const bool is_mirrored = grid.right < grid.left;
  const bool is_downward = grid.top > grid.bottom;  // a reversed y axis
  for (std::size_t row = 0; row < grid.rows; ++row) {
    for (std::size_t column = 0; column < grid.columns; ++column) {
      const double count = density.counts[row * grid.columns + column];
      if (count == 0 || !colours.has(count)) continue;
      const std::size_t to_row = is_downward ? row : grid.rows - 1 - row;
      const std::size_t to_column = is_mirrored ? grid.columns - 1 - column : column;
      picture.pixels[to_row * grid.columns + to_column] = map_pixel(colours.fraction(count));
    }
  }
  return picture;
}

std::string contour_path(const ContourLines& lines, const Grid& grid) {
  const double dx = (grid.right - grid.left) / static_cast<double>(grid.columns);
  const double dy = (grid.top - grid.bottom) / static_cast<double>(grid.rows);
  std::string path;
  for (const ContourLine& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      path += i == 0 ? 'M' : 'L';
      append_px(path, grid.left + dx * line[i].x);
      path += ' ';
      append_px(path, grid.bottom + dy * line[i].y);
    }
    path += 'z';
  }
  return path;
}

}  // namespace

void draw(const Density& density, const Frame& frame, std::string& out) {
  const Grid grid = grid_of(density, frame);
  const ColourScale colours = colour_scale(density);
  if (grid.columns == 0 || colours.empty()) return;
  out += fmt::format(
      "<image class=\"map\" image-rendering=\"pixelated\" preserveAspectRatio=\"none\" "
      "x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" href=\"{}\"/>\n",
      px(std::min(grid.left, grid.right)), px(std::min(grid.top, grid.bottom)),
      px(std::abs(grid.right - grid.left)), px(std::abs(grid.bottom - grid.top)),
      png_data_uri(png(picture_of(density, grid, colours), map_palette())));
  for (std::size_t i = 0; i < density.contours.size(); ++i) {
    const ContourLines lines =
        contours(density.counts, grid.columns, grid.rows, density.contours[i]);
    const std::string path = contour_path(lines, grid);
    if (path.empty()) continue;
    const Style style{.colour = -1, .dash = static_cast<int>(i)};
    out += fmt::format("<path class=\"halo\" d=\"{0}\"/><path class=\"ink {1}\" d=\"{0}\"/>\n",
                       path, line_classes(style));
  }
}

}  // namespace qsohost::plot
