// libFuzzer target: whatever bytes a FITS file holds, reading, writing, checking and merging it
// ends in tables or in a RunError, never in a crash, an endless loop or gigabytes of memory.
#include <algorithm>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "fuzz_file.hpp"
#include "qsohost/io/fits.hpp"

namespace {

namespace fs = std::filesystem;
using namespace qsohost;
using namespace qsohost::fuzz;

constexpr std::uint64_t kMost = 70;  // rows

// Columns without a problem.
std::vector<std::size_t> readable(const FitsTable& table) {
  std::vector<std::size_t> fields;
  for (std::size_t i = 0; i < table.fields().size(); ++i) {
    if (table.fields()[i].problem.empty()) fields.push_back(i);
  }
  return fields;
}

void read_all(const fs::path& file) {
  constexpr std::uint64_t kBlock = 7;
  FitsTable table(file);
  table.others();
  const std::vector<std::size_t> fields = readable(table);
  const std::uint64_t rows = std::min(table.rows(), kMost);
  for (std::uint64_t first = 0; first < rows; first += kBlock) {
    const auto cells = table.read(first, std::min(kBlock, rows - first), fields);
    for (const Cells& c : cells) {
      const auto total = std::accumulate(c.lengths.begin(), c.lengths.end(), std::uint64_t{0});
      if (!c.lengths.empty() && total != c.values.size()) std::abort();
    }
  }
}

bool is_same(const Column& a, const Column& b) {
  for (std::size_t i = 0; i < a.size() * a.width(); ++i) {
    if (a.is_null(i) != b.is_null(i)) return false;
    if (a.dtype() == DType::I64 && a.values<std::int64_t>()[i] != b.values<std::int64_t>()[i]) {
      return false;
    }
    const double x = a.number(i);
    const double y = b.number(i);
    if (x != y && (x == x || y == y)) return false;
  }
  return a.info().shape == b.info().shape;
}

// What was read is read again when we have written it, nulls included.
void write_again(const fs::path& in, const fs::path& out) {
  FitsTable table(in);
  const std::uint64_t rows = std::min(table.rows(), kMost);
  const std::vector<std::size_t> fields = readable(table);
  std::deque<Cells> kept;
  std::deque<std::vector<std::uint64_t>> offsets;
  std::vector<FitsColumn> columns;
  for (Cells& cells : table.read(0, rows, fields)) {
    if (cells.values.dtype() == DType::String) continue;
    const Cells& c = kept.emplace_back(std::move(cells));
    auto& ends = offsets.emplace_back(c.lengths.empty() ? 0 : 1);
    for (const std::uint64_t length : c.lengths) ends.push_back(ends.back() + length);
    columns.push_back({c.values.info(), &c.values, ends});
    columns.back().info.name = "c" + std::to_string(kept.size());
    columns.back().info.unit.clear();
  }
  std::vector<std::size_t> all(rows);
  std::iota(all.begin(), all.end(), std::size_t{0});
  write_fits_table(out, {}, columns, all);
  FitsTable again(out);
  const auto cells = again.read(0, rows, readable(again));
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (cells[i].lengths != kept[i].lengths || !is_same(cells[i].values, kept[i].values)) {
      std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fs::path in = folder() / "in.fits";
  const fs::path out = folder() / "out.fits";
  write(in, data, size);
  refusing([&] { read_all(in); });
  refusing([&] { verify_fits(in); });
  refusing([&] { write_again(in, out); });
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
