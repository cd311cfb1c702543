// What the fuzzers share: the input as a file, in memory where the system has a place for that.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "qsohost/error.hpp"

namespace qsohost::fuzz {

// A folder of this process, removed when it ends without a finding.
inline const std::filesystem::path& folder() {
  namespace fs = std::filesystem;
  static const fs::path path = [] {
    const fs::path base = fs::exists("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path();
    static std::string made = (base / "qsohost-fuzz-XXXXXX").string();
    if (::mkdtemp(made.data()) == nullptr) std::abort();
    std::atexit([] { fs::remove_all(made); });
    ::setenv("TMPDIR", made.c_str(), 1);
    return fs::path(made);
  }();
  return path;
}

inline void write(const std::filesystem::path& file, const std::uint8_t* data, std::size_t size) {
  std::FILE* out = std::fopen(file.c_str(), "wb");
  if (out == nullptr || std::fwrite(data, 1, size, out) != size) std::abort();
  std::fclose(out);
}

// Errors are what damaged input should get; every other exception is a finding.
template <class F>
void refusing(const F& f) {
  try {
    f();
  } catch (const Error&) {
  }
}

}  // namespace qsohost::fuzz
