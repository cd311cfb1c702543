// FNV-1a, 64 bits: the same number on every machine and in every version, which std::hash is not.
#pragma once

#include <cstdint>
#include <string_view>

namespace qsohost::inline v1 {

inline constexpr std::uint64_t kFnvBegin = 14695981039346656037ull;

constexpr std::uint64_t fnv1a(std::string_view text, std::uint64_t hash = kFnvBegin) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  return hash;
}

}  // namespace qsohost::inline v1
