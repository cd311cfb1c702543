#include "plot/sky_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "plot/colour_map.hpp"
#include "plot/draw.hpp"
#include "plot/png.hpp"
#include "plot/text.hpp"

namespace qsohost::plot {
namespace {

using std::numbers::pi;
using std::numbers::sqrt2;

constexpr double kCentre = 180;  // RA in the middle, degrees
double radians(double degrees) {
  return degrees * pi / 180;
}
double degrees(double radians) {
  return radians * 180 / pi;
}

// The cells of rows of equal height would be as wide as high with these numbers of columns.
std::size_t columns_of(int row, int rows) {
  const double dec = pi * ((row + 0.5) / rows - 0.5);
  return std::max<std::size_t>(3, static_cast<std::size_t>(std::lround(2 * rows * std::cos(dec))));
}

// Where each row's cells begin, and how many there are in all. A row's share of the cells is its
// share of the sphere: its limits in sin(dec) follow from where its cells begin.
std::vector<std::size_t> row_starts(int rows) {
  std::vector<std::size_t> starts{0};
  for (int row = 0; row < rows; ++row) starts.push_back(starts.back() + columns_of(row, rows));
  return starts;
}

// sin(dec) of the lower limit of the row that begins there.
double sin_dec_of(std::size_t start, std::size_t cells) {
  return 2 * static_cast<double>(start) / static_cast<double>(cells) - 1;
}

std::size_t cell_of(const std::vector<std::size_t>& starts, double ra, double sin_dec) {
  const auto cells = static_cast<double>(starts.back());
  const auto share = std::clamp((sin_dec + 1) / 2 * cells, 0.0, cells - 1);
  const auto next = std::upper_bound(starts.begin(), starts.end(), static_cast<std::size_t>(share));
  const std::size_t start = *(next - 1), columns = *next - start;
  const double turn = ra / 360 - std::floor(ra / 360);
  return start +
         std::min(static_cast<std::size_t>(turn * static_cast<double>(columns)), columns - 1);
}

struct Place {
  double x = 0, y = 0;
};

// Mollweide: the auxiliary angle t solves 2 t + sin 2 t = pi sin(dec).
Place projected(double ra, double dec) {
  const double wanted = pi * std::sin(radians(dec));
  double t = radians(dec);
  for (int i = 0; i < 30 && std::abs(dec) < 90; ++i) {
    t -= (2 * t + std::sin(2 * t) - wanted) / std::max(2 + 2 * std::cos(2 * t), 1e-6);
  }
  return {-2 * sqrt2 / pi * radians(ra - kCentre) * std::cos(t), sqrt2 * std::sin(t)};
}

Picture picture_of(const SkyCells& sky, const ColourScale& colours) {
  constexpr std::uint32_t kWidth = 960, kHeight = 480;
  const std::vector<std::size_t> starts = row_starts(sky.rows);
  Picture picture{kWidth, kHeight};
  picture.pixels.assign(static_cast<std::size_t>(kWidth) * kHeight, 0);
  for (std::uint32_t row = 0; row < kHeight; ++row) {
    const double t = std::asin(1 - 2 * (row + 0.5) / kHeight);
    const double sin_dec = (2 * t + std::sin(2 * t)) / pi;
    for (std::uint32_t column = 0; column < kWidth; ++column) {
      const double across = (1 - 2 * (column + 0.5) / kWidth) / std::cos(t);  // 1 at the left end
      if (std::abs(across) > 1) continue;
      const std::size_t cell = cell_of(starts, kCentre + 180 * across, sin_dec);
      const double count = sky.counts[cell];
      if (count == 0 || !colours.has(count)) continue;
      picture.pixels[static_cast<std::size_t>(row) * kWidth + column] =
          map_pixel(colours.fraction(count));
    }
  }
  return picture;
}

class SkyPath {
 public:
  explicit SkyPath(const Frame& frame) : frame_(frame) {}

  void to(double ra, double dec) {
    const Place place = projected(ra, dec);
    // A step from edge to edge is a step around the back of the map.
    const bool is_jump = !path_.empty() && std::abs(place.x - last_x_) > sqrt2;
    path_ += path_.empty() || is_jump || is_lifted_ ? 'M' : 'L';
    append_px(path_, frame_.x.px(place.x));
    path_ += ' ';
    append_px(path_, frame_.y.px(place.y));
    last_x_ = place.x;
    is_lifted_ = false;
  }
  void lift() { is_lifted_ = true; }
  const std::string& text() const { return path_; }

 private:
  const Frame& frame_;
  std::string path_{};
  double last_x_ = 0;
  bool is_lifted_ = false;
};

std::string meridians(const Frame& frame) {
  SkyPath path(frame);
  for (int ra = 60; ra < 360; ra += 60) {
    for (int dec = -90; dec <= 90; dec += 3) path.to(ra, dec);
    path.lift();
  }
  return path.text();
}

std::string parallels(const Frame& frame) {
  std::string path;
  for (int dec = -60; dec <= 60; dec += 30) {
    const Place right = projected(0, dec), left = projected(360, dec);
    path += fmt::format("M{} {}H{}", px(frame.x.px(left.x)), px(frame.y.px(left.y)),
                        px(frame.x.px(right.x)));
  }
  return path;
}

// b = 0 with the Galactic pole and the longitude of the celestial pole of J2000.
std::string galactic_plane(const Frame& frame) {
  constexpr double kPoleRa = 192.85948, kPoleDec = 27.12825, kCelestialPole = 122.93192;
  SkyPath path(frame);
  for (int l = 0; l <= 360; ++l) {
    const double angle = radians(kCelestialPole - l);
    const double dec = std::asin(std::cos(radians(kPoleDec)) * std::cos(angle));
    const double ra = kPoleRa + degrees(std::atan2(std::sin(angle),
                                                   -std::sin(radians(kPoleDec)) * std::cos(angle)));
    path.to(ra - 360 * std::floor(ra / 360), degrees(dec));
  }
  return path.text();
}

void draw_labels(const Frame& frame, std::string& out) {
  for (int ra = 60; ra < 360; ra += 60) {
    const Place at = projected(ra, 0);
    out += text_element(frame.x.px(at.x), frame.y.px(at.y) - 3, "middle", "name",
                        fmt::format("{}\xC2\xB0", ra));
  }
  const Place south = projected(192.85948, -62.9);  // the plane's southernmost point
  out += text_element(frame.x.px(south.x), frame.y.px(south.y) + 14, "middle", "name",
                      "Galactic plane");
  for (const int dec : {-60, -30, 30, 60}) {
    const Place at = projected(360, dec);
    out += text_element(frame.x.px(at.x) - 4, frame.y.px(at.y) + (dec > 0 ? 0 : 8), "end", "name",
                        fmt::format("{}{}\xC2\xB0", dec > 0 ? "+" : "\xE2\x88\x92", std::abs(dec)));
  }
}

}  // namespace

SkyCounts::SkyCounts(int rows) : rows_(rows), starts_(row_starts(rows)), counts_(starts_.back()) {}

void SkyCounts::add(double ra, double dec) {
  if (!std::isfinite(ra) || !(std::abs(dec) <= 90)) {
    ++left_out_;
    return;
  }
  ++counts_[cell_of(starts_, ra, std::sin(radians(dec)))];
  ++counted_;
}

Figure sky_map(std::string id, std::string title, const SkyCounts& counts,
               const std::string& what) {
  const auto filled =
      std::count_if(counts.counts().begin(), counts.counts().end(), [](double n) { return n > 0; });
  Figure figure{.id = std::move(id), .title = std::move(title)};
  figure.alt = fmt::format(
      "Map of the sky in Mollweide's projection, RA growing to the left, with the Galactic plane: "
      "{} {} in {} of {} cells of equal area.",
      counts.counted(), what, filled, counts.counts().size());
  figure.layers.emplace_back(
      SkyCells{.label = what, .rows = counts.rows(), .counts = counts.counts()});
  figure.width = 720;
  figure.height = 380;
  return figure;
}

std::vector<SkyCell> sky_cells(int rows) {
  const std::vector<std::size_t> starts = row_starts(rows);
  std::vector<SkyCell> cells;
  for (std::size_t row = 0; row + 1 < starts.size(); ++row) {
    const double dec_low = degrees(std::asin(sin_dec_of(starts[row], starts.back())));
    const double dec_high = degrees(std::asin(sin_dec_of(starts[row + 1], starts.back())));
    const std::size_t columns = starts[row + 1] - starts[row];
    const double width = 360.0 / static_cast<double>(columns);
    for (std::size_t column = 0; column < columns; ++column) {
      cells.push_back({width * static_cast<double>(column), width * static_cast<double>(column + 1),
                       dec_low, dec_high});
    }
  }
  return cells;
}

Extents sky_extents() {
  Extents extents;
  extents.x.cells = {-2 * sqrt2, 2 * sqrt2};
  extents.y.cells = {-sqrt2, sqrt2};
  return extents;
}

void keep_sky_round(Frame& frame) {
  Rect& area = frame.area;
  constexpr double kLabels = 26;  // of the parallels, left of the map
  const double width = std::min(area.width - kLabels, 2 * area.height);
  const double left = area.left + (area.width + kLabels - width) / 2;
  const double top = area.top + (area.height - width / 2) / 2;
  frame.x = AxisMap(Scale::Linear, {-2 * sqrt2, 2 * sqrt2}, left, left + width);
  frame.y = AxisMap(Scale::Linear, {-sqrt2, sqrt2}, top + width / 2, top);
}

void draw_sky(const SkyCells& sky, const Frame& frame, std::string& out) {
  const double left = frame.x.px(-2 * sqrt2), width = frame.x.px(2 * sqrt2) - left;
  const double top = frame.y.px(sqrt2), height = frame.y.px(-sqrt2) - top;
  const ColourScale colours = colour_scale(sky);
  const bool has_cells = sky.rows > 0 && sky.counts.size() >= row_starts(sky.rows).back();
  out += fmt::format("<path class=\"grid\" d=\"{}{}\"/>\n", meridians(frame), parallels(frame));
  if (has_cells && !colours.empty()) {
    out += fmt::format(
        "<image class=\"map\" preserveAspectRatio=\"none\" x=\"{}\" y=\"{}\" "
        "width=\"{}\" height=\"{}\" href=\"{}\"/>\n",
        px(left), px(top), px(width), px(height),
        png_data_uri(png(picture_of(sky, colours), map_palette())));
  }
  out += fmt::format("<path class=\"c1 line d1\" d=\"{}\"/>\n", galactic_plane(frame));
  out += fmt::format("<ellipse class=\"axis\" cx=\"{}\" cy=\"{}\" rx=\"{}\" ry=\"{}\"/>\n",
                     px(left + width / 2), px(top + height / 2), px(width / 2), px(height / 2));
  draw_labels(frame, out);
  if (!has_cells || colours.empty()) {
    out += text_element(left + width / 2, top + height / 2 + 24, "middle", "empty", "no data");
  }
}

}  // namespace qsohost::plot
