// Numbers as FITS stores them: big-endian (load_be, store_be), and descriptors of arrays.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/big_endian.hpp"

namespace qsohost::inline io_v1 {

// The place of an array in the heap.
struct Descriptor {
  std::uint64_t length = 0;  // elements
  std::uint64_t offset = 0;  // bytes from the start of the heap
};

inline Descriptor load_descriptor(const std::byte* from, bool wide) {
  if (wide) return {load_be<std::uint64_t>(from), load_be<std::uint64_t>(from + 8)};
  return {load_be<std::uint32_t>(from), load_be<std::uint32_t>(from + 4)};
}

inline void store_descriptor(std::byte* to, Descriptor d, bool wide) {
  if (wide) {
    store_be(to, d.length);
    store_be(to + 8, d.offset);
  } else {
    store_be(to, static_cast<std::uint32_t>(d.length));
    store_be(to + 4, static_cast<std::uint32_t>(d.offset));
  }
}

}  // namespace qsohost::inline io_v1
