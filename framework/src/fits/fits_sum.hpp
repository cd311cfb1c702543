// The checksum of FITS headers and data (FITS standard 4.0, appendix J): the ones' complement sum
// of 32-bit big-endian words. Kept here as bytes are handed over, so that what reaches the disk is
// compared with what was meant, and not with itself.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace qsohost::inline v1 {

class FitsSum {
 public:
  // `offset`: of these bytes from the start of the header or data. Pieces may come in any order.
  void add(std::span<const std::byte> bytes, std::uint64_t offset) {
    std::uint64_t sum = 0;
    std::size_t i = 0;
    for (; i + 4 <= bytes.size(); i += 4) sum += word(bytes.data() + i);
    if (i < bytes.size()) {
      std::byte tail[4]{};
      for (std::size_t k = 0; i + k < bytes.size(); ++k) tail[k] = bytes[i + k];
      sum += word(tail);
    }
    // A piece that begins within a word weighs 2^(-8 k) as much, modulo 2^32 - 1: a rotation.
    add(std::rotr(fold(sum), static_cast<int>(8 * (offset % 4))));
  }
  void add(std::uint32_t sum) { value_ = fold(std::uint64_t{value_} + sum); }
  std::uint32_t value() const { return value_; }

 private:
  static std::uint32_t word(const std::byte* p) {
    return std::to_integer<std::uint32_t>(p[0]) << 24 | std::to_integer<std::uint32_t>(p[1]) << 16 |
           std::to_integer<std::uint32_t>(p[2]) << 8 | std::to_integer<std::uint32_t>(p[3]);
  }
  static std::uint32_t fold(std::uint64_t sum) {
    while (sum > 0xffffffffu) sum = (sum & 0xffffffffu) + (sum >> 32);
    return static_cast<std::uint32_t>(sum);
  }
  std::uint32_t value_ = 0;
};

}  // namespace qsohost::inline v1
