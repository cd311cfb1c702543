// libFuzzer target: whatever bytes a FITS file holds, reading, checking and merging it ends in
// tables or in a RunError, never in a crash, an endless loop or gigabytes of memory.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "qsohost/error.hpp"
#include "qsohost/io/fits.hpp"

namespace {

namespace fs = std::filesystem;
using namespace qsohost;

// CFITSIO reads files, so the input becomes one; in memory where the system has a place for that.
const fs::path& folder() {
  static const fs::path path = [] {
    const fs::path base = fs::exists("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path();
    std::string pattern = (base / "qsohost-fuzz-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    static std::string made = pattern;
    std::atexit([] { fs::remove_all(made); });
    return fs::path(pattern);
  }();
  return path;
}

void write(const fs::path& file, const std::uint8_t* data, std::size_t size) {
  std::FILE* out = std::fopen(file.c_str(), "wb");
  if (out == nullptr || std::fwrite(data, 1, size, out) != size) std::abort();
  std::fclose(out);
}

void read_all(const fs::path& file) {
  constexpr std::uint64_t kBlock = 7;
  constexpr std::uint64_t kMost = 70;
  FitsTable table(file);
  std::vector<std::size_t> fields;
  for (std::size_t i = 0; i < table.fields().size(); ++i) {
    if (table.fields()[i].problem.empty()) fields.push_back(i);
  }
  const std::uint64_t rows = std::min(table.rows(), kMost);
  for (std::uint64_t first = 0; first < rows; first += kBlock) {
    const auto cells = table.read(first, std::min(kBlock, rows - first), fields);
    for (const Cells& c : cells) {
      const auto total = std::accumulate(c.lengths.begin(), c.lengths.end(), std::uint64_t{0});
      if (!c.lengths.empty() && total != c.values.size()) std::abort();
    }
  }
}

template <class F>
void refusing(const F& f) {
  try {
    f();
  } catch (const Error&) {
    // What a damaged file should get.
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fs::path in = folder() / "in.fits";
  const fs::path out = folder() / "out.fits";
  write(in, data, size);
  refusing([&] { read_all(in); });
  refusing([&] { verify_fits(in); });
  refusing([&] {
    const std::vector<fs::path> parts{in, in};
    merge_fits_tables(parts, out, {}, {});
    FitsTable table(out);
    if (!table.fields().empty()) {
      merge_fits_tables(parts, out, {}, {table.fields()[0].info.name, false});
    }
  });
  return 0;
}
