// The checksum of FITS headers and data (FITS standard 4.0, appendix J): the ones' complement sum
// of 32-bit big-endian words. Updated as bytes are passed in, so that the bytes on disk are checked
// against the intended ones, and not against themselves.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "fits/fits_swap.hpp"

namespace qsohost::inline io_v1 {

class FitsSum {
 public:
  // `offset`: from the start of the header or data. Pieces may come in any order.
  void add(std::span<const std::byte> bytes, std::uint64_t offset) {
    const std::size_t words = bytes.size() / 4;
    std::uint64_t sum = sum_words(bytes.data(), words);
    if (words * 4 < bytes.size()) {
      std::byte tail[4]{};
      std::ranges::copy(bytes.subspan(words * 4), tail);
      sum += sum_words(tail, 1);
    }
    // A piece that starts within a word is scaled by 2^(-8 k), modulo 2^32 - 1: a rotation.
    add(std::rotr(fold(sum), static_cast<int>(8 * (offset % 4))));
  }
  void add(std::uint32_t sum) { value_ = fold(std::uint64_t{value_} + sum); }
  std::uint32_t value() const { return value_; }

 private:
  static std::uint32_t fold(std::uint64_t sum) {
    while (sum > 0xffffffffu) sum = (sum & 0xffffffffu) + (sum >> 32);
    return static_cast<std::uint32_t>(sum);
  }
  std::uint32_t value_ = 0;
};

}  // namespace qsohost::inline io_v1
