// A small picture as a PNG, for embedding.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "plot/colour_map.hpp"

namespace qsohost::plot {

struct Picture {
  std::uint32_t width = 0, height = 0;
  std::vector<std::uint8_t> pixels{};  // row-major from the top: 0 is transparent, n palette[n - 1]
};

// The bytes of a file with a palette of at most 255 colours.
std::string png(const Picture& picture, std::span<const Rgb> palette);
// "data:image/png;base64,..."
std::string png_data_uri(const std::string& png_bytes);

// The colour map with 255 levels, and the pixel of a fraction of it.
std::vector<Rgb> map_palette();
std::uint8_t map_pixel(double fraction);

}  // namespace qsohost::plot
