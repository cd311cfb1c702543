#include "plot/colour_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace qsohost::plot {
namespace {

constexpr std::array<Rgb, 16> kViridis{{{0x44, 0x01, 0x54},
                                        {0x48, 0x1A, 0x6C},
                                        {0x47, 0x2F, 0x7D},
                                        {0x41, 0x44, 0x87},
                                        {0x39, 0x56, 0x8C},
                                        {0x31, 0x68, 0x8E},
                                        {0x2A, 0x78, 0x8E},
                                        {0x23, 0x88, 0x8E},
                                        {0x1F, 0x98, 0x8B},
                                        {0x22, 0xA8, 0x84},
                                        {0x35, 0xB7, 0x79},
                                        {0x54, 0xC5, 0x68},
                                        {0x7A, 0xD1, 0x51},
                                        {0xA5, 0xDB, 0x36},
                                        {0xD2, 0xE2, 0x1B},
                                        {0xFD, 0xE7, 0x25}}};

// Counts of 0 are empty cells, of no colour.
ColourScale of_counts(std::span<const double> counts, bool is_log) {
  std::vector<double> some;
  std::copy_if(counts.begin(), counts.end(), std::back_inserter(some),
               [](double n) { return n != 0; });
  return {some, is_log};
}

}  // namespace

Rgb map_colour(double fraction) {
  const double place = std::clamp(fraction, 0.0, 1.0) * (kViridis.size() - 1);
  const auto below = std::min(static_cast<std::size_t>(place), kViridis.size() - 2);
  const double part = place - static_cast<double>(below);
  const Rgb a = kViridis[below], b = kViridis[below + 1];
  const auto mixed = [part](std::uint8_t from, std::uint8_t to) {
    return static_cast<std::uint8_t>(std::lround(from + part * (to - from)));
  };
  return {mixed(a.red, b.red), mixed(a.green, b.green), mixed(a.blue, b.blue)};
}

std::string hex(Rgb colour) {
  return fmt::format("#{:02x}{:02x}{:02x}", colour.red, colour.green, colour.blue);
}

ColourScale::ColourScale(std::span<const double> values, bool is_log)
    : scale_(is_log ? Scale::Log : Scale::Linear) {
  Extent extent;
  for (const double value : values) {
    if (has(value)) extent.cells.add(value);
  }
  empty_ = extent.cells.empty();
  range_ = axis_range(Axis{.scale = scale_}, extent);
}

double ColourScale::fraction(double value) const {
  return std::clamp(AxisMap(scale_, range_, 0, 1).px(value), 0.0, 1.0);
}

ColourScale colour_scale(const Density& density) {
  return of_counts(density.counts, density.is_log);
}
ColourScale colour_scale(const ColouredPoints& points) {
  return {points.value, false};
}
ColourScale colour_scale(const SkyCells& sky) {
  return of_counts(sky.counts, true);
}

}  // namespace qsohost::plot
