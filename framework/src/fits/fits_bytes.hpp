// Numbers as FITS stores them: big-endian.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace qsohost::inline io_v1 {

template <class T>
using BitsOf = std::conditional_t<
    sizeof(T) == 1, std::uint8_t,
    std::conditional_t<sizeof(T) == 2, std::uint16_t,
                       std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>>;

template <class U>
constexpr U swapped(U bits) {
  if constexpr (std::endian::native == std::endian::big || sizeof(U) == 1)
    return bits;
  else if constexpr (sizeof(U) == 2)
    return __builtin_bswap16(bits);
  else if constexpr (sizeof(U) == 4)
    return __builtin_bswap32(bits);
  else
    return __builtin_bswap64(bits);
}

template <class T>
T load_be(const std::byte* from) {
  BitsOf<T> bits;
  std::memcpy(&bits, from, sizeof bits);
  return std::bit_cast<T>(swapped(bits));
}

template <class T>
void store_be(std::byte* to, T value) {
  const auto bits = swapped(std::bit_cast<BitsOf<T>>(value));
  std::memcpy(to, &bits, sizeof bits);
}

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
