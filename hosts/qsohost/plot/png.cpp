#include "plot/png.hpp"

#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace qsohost::plot {
namespace {

constexpr int kLevels = 255;

void append_number(std::string& out, std::uint32_t value) {
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(value >> shift & 0xFF);
}

void append_chunk(std::string& out, const std::string& type, const std::string& data) {
  append_number(out, static_cast<std::uint32_t>(data.size()));
  const std::string body = type + data;
  out += body;
  const auto* bytes = reinterpret_cast<const Bytef*>(body.data());
  append_number(out, static_cast<std::uint32_t>(crc32(0, bytes, static_cast<uInt>(body.size()))));
}

std::string compressed(const std::string& data) {
  uLongf length = compressBound(data.size());
  std::string out(length, '\0');
  const auto* bytes = reinterpret_cast<const Bytef*>(data.data());
  if (compress2(reinterpret_cast<Bytef*>(out.data()), &length, bytes, data.size(), 9) != Z_OK) {
    throw std::runtime_error("zlib did not compress the picture of a figure; free some memory");
  }
  out.resize(length);
  return out;
}

}  // namespace

std::string png(const Picture& picture, std::span<const Rgb> palette) {
  std::string out = "\x89PNG\r\n\x1A\n";
  std::string header;
  append_number(header, picture.width);
  append_number(header, picture.height);
  header += std::string("\x08\x03\x00\x00\x00", 5);  // 8 bits, palette, no interlace
  append_chunk(out, "IHDR", header);

  std::string colours(3, '\0');  // of the transparent pixel
  for (const Rgb& colour : palette) {
    for (const std::uint8_t part : {colour.red, colour.green, colour.blue}) {
      colours += static_cast<char>(part);
    }
  }
  append_chunk(out, "PLTE", colours);
  append_chunk(out, "tRNS", std::string(1, '\0'));

  std::string rows;
  for (std::size_t row = 0; row < picture.height; ++row) {
    rows += '\0';  // no filter
    const auto first = picture.pixels.begin() + static_cast<std::ptrdiff_t>(row * picture.width);
    rows.append(first, first + picture.width);
  }
  append_chunk(out, "IDAT", compressed(rows));
  append_chunk(out, "IEND", "");
  return out;
}

std::string png_data_uri(const std::string& png_bytes) {
  constexpr const char* kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out = "data:image/png;base64,";
  for (std::size_t i = 0; i < png_bytes.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, png_bytes.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (k < n ? static_cast<unsigned char>(png_bytes[i + k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) out += k <= n ? kDigits[bits >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

std::vector<Rgb> map_palette() {
  std::vector<Rgb> palette;
  for (int i = 0; i < kLevels; ++i) palette.push_back(map_colour(i / (kLevels - 1.0)));
  return palette;
}

std::uint8_t map_pixel(double fraction) {
  return static_cast<std::uint8_t>(1 + std::lround(std::clamp(fraction, 0.0, 1.0) * (kLevels - 1)));
}

}  // namespace qsohost::plot
