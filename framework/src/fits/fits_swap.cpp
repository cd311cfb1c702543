#include "fits/fits_swap.hpp"

#include <cstring>

#include "fits/fits_bytes.hpp"

namespace qsohost::inline io_v1 {

namespace {

// Inlined into functions for several processors, and compiled for each.
template <class U>
[[gnu::always_inline]] inline void copy_as(std::byte* __restrict to,
                                           const std::byte* __restrict from, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    const U bits = load_be<U>(from + i * sizeof(U));
    std::memcpy(to + i * sizeof(U), &bits, sizeof(U));
  }
}

[[gnu::always_inline]] inline void copy_any(std::byte* to, const std::byte* from, std::size_t n,
                                            std::size_t element_bytes) {
  switch (element_bytes) {
    case 2:
      return copy_as<std::uint16_t>(to, from, n);
    case 4:
      return copy_as<std::uint32_t>(to, from, n);
    case 8:
      return copy_as<std::uint64_t>(to, from, n);
    default:
      std::memcpy(to, from, n);
  }
}

[[gnu::always_inline]] inline std::uint64_t sum_any(const std::byte* from, std::size_t n) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += load_be<std::uint32_t>(from + i * 4);
  return sum;
}

#ifdef __x86_64__
[[gnu::target("avx2")]] void copy_avx2(std::byte* to, const std::byte* from, std::size_t n,
                                       std::size_t element_bytes) {
  copy_any(to, from, n, element_bytes);
}

[[gnu::target("avx2")]] std::uint64_t sum_avx2(const std::byte* from, std::size_t n) {
  return sum_any(from, n);
}

const bool kHasAvx2 = __builtin_cpu_supports("avx2") != 0;
#endif

}  // namespace

void copy_swapped(std::byte* to, const std::byte* from, std::size_t n, std::size_t element_bytes) {
#ifdef __x86_64__
  if (kHasAvx2) return copy_avx2(to, from, n, element_bytes);
#endif
  copy_any(to, from, n, element_bytes);
}

std::uint64_t sum_words(const std::byte* from, std::size_t n) {
#ifdef __x86_64__
  if (kHasAvx2) return sum_avx2(from, n);
#endif
  return sum_any(from, n);
}

}  // namespace qsohost::inline io_v1
