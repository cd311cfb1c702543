// One measurement of the FITS code a process, for fits.py, which puts them side by side.
//
//   fits_bench write FILE ROWS          makes columns in memory, then times writing them
//   fits_bench read FILE                times reading all of them, 500 rows at a time
//   fits_bench chunks DIR FILE ROWS     cuts FILE into tables of ROWS rows (not timed)
//   fits_bench merge FILE PART...       times making one table of them
//
// Prints seconds and the highest memory in MB.
#include <fmt/format.h>
#include <malloc.h>

#include <chrono>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "qsohost/io/fits.hpp"

using namespace qsohost;

namespace {

using Clock = std::chrono::steady_clock;

void report(Clock::time_point begin) {
  const std::chrono::duration<double> elapsed = Clock::now() - begin;
  // Not getrusage: that remembers the memory of the process that started this one.
  std::ifstream status("/proc/self/status");
  std::string word;
  double kilobytes = 0;
  while (status >> word) {
    if (word == "VmHWM:") status >> kilobytes;
  }
  fmt::print("{:.4f} {:.0f}\n", elapsed.count(), kilobytes / 1024);
}

// 27 columns like those of the published ZTF light curves; epochs per object as there, about 430
// in g, 600 in r and 105 in i: 350 MB for 8,529 rows.
struct Table {
  std::deque<Column> values;
  std::deque<std::vector<std::uint64_t>> offsets;
  std::vector<FitsColumn> columns;

  explicit Table(std::size_t rows) {
    std::mt19937_64 random(1);
    Column& id = values.emplace_back(ColumnInfo{"source_id", DType::I64, "", ""});
    Column& ra = values.emplace_back(ColumnInfo{"ra", DType::F64, "deg", ""});
    Column& dec = values.emplace_back(ColumnInfo{"dec", DType::F64, "deg", ""});
    for (std::size_t i = 0; i < rows; ++i) {
      id.append(static_cast<std::int64_t>(random() >> 2));
      ra.append(360.0 * static_cast<double>(i) / static_cast<double>(rows));
      dec.append(10.0);
    }
    for (Column* c : {&id, &ra, &dec}) columns.push_back({c->info(), c, {}});
    add_band("g", 430, rows, random);
    add_band("r", 600, rows, random);
    add_band("i", 105, rows, random);
  }

  void add_band(const std::string& band, double mean, std::size_t rows, std::mt19937_64& random) {
    std::gamma_distribution<double> epochs(2.0, mean / 2);
    auto& ends = offsets.emplace_back(1, 0);
    for (std::size_t i = 0; i < rows; ++i) {
      ends.push_back(ends.back() + static_cast<std::uint64_t>(epochs(random)));
    }
    for (const char* name :
         {"mjd", "mag", "magerr", "catflags", "sharp", "chi", "limitmag", "airmass"}) {
      const DType dtype = std::strcmp(name, "mjd") == 0        ? DType::F64
                          : std::strcmp(name, "catflags") == 0 ? DType::I32
                                                               : DType::F32;
      Column& c = values.emplace_back(ColumnInfo{fmt::format("{}_{}", name, band), dtype, "", ""});
      c.resize(ends.back());
      columns.push_back({c.info(), &c, ends});
    }
  }
};

std::vector<std::size_t> range(std::size_t first, std::size_t count) {
  std::vector<std::size_t> rows(count);
  std::iota(rows.begin(), rows.end(), first);
  return rows;
}

void write(const std::string& file, std::size_t rows) {
  const Table table(rows);
  const auto all = range(0, rows);
  const auto begin = Clock::now();
  write_fits_table(file, {"ztf", {}, {}}, table.columns, all);
  report(begin);
}

void read(const std::string& file) {
  const auto begin = Clock::now();
  FitsTable table(file);
  const auto fields = range(0, table.fields().size());
  double sum = 0;
  for (std::uint64_t first = 0; first < table.rows(); first += 500) {
    const auto cells =
        table.read(first, std::min<std::uint64_t>(500, table.rows() - first), fields);
    for (const Cells& c : cells) {
      if (c.values.size() > 0) sum += c.values.number(c.values.size() - 1);
    }
  }
  report(begin);
  if (sum == 0.125) fmt::print("\n");  // so that nothing is optimised away
}

void chunks(const std::string& folder, const std::string& file, std::uint64_t block) {
  FitsTable table(file);
  const auto fields = range(0, table.fields().size());
  for (std::uint64_t first = 0; first < table.rows(); first += block) {
    const std::uint64_t count = std::min(block, table.rows() - first);
    const auto cells = table.read(first, count, fields);
    std::deque<std::vector<std::uint64_t>> offsets;
    std::vector<FitsColumn> columns;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      columns.push_back({table.fields()[i].info, &cells[i].values, {}});
      if (cells[i].lengths.empty()) continue;
      auto& ends = offsets.emplace_back(1, 0);
      for (const std::uint64_t n : cells[i].lengths) ends.push_back(ends.back() + n);
      columns.back().offsets = ends;
    }
    write_fits_table(fmt::format("{}/{:08}.fits", folder, first), {"ztf", {}, {}}, columns,
                     range(0, count));
  }
}

void merge(const std::string& file, const std::vector<std::filesystem::path>& parts) {
  const auto begin = Clock::now();
  merge_fits_tables(parts, file, {"ztf", {}, {}});
  report(begin);
}

}  // namespace

int main(int argc, char** argv) {
  mallopt(M_MMAP_THRESHOLD, 256 << 10);  // as the host does
  const std::vector<std::string> args(argv + 1, argv + argc);
  if (args.size() == 3 && args[0] == "write") {
    write(args[1], std::stoul(args[2]));
  } else if (args.size() == 2 && args[0] == "read") {
    read(args[1]);
  } else if (args.size() == 4 && args[0] == "chunks") {
    chunks(args[1], args[2], std::stoul(args[3]));
  } else if (args.size() >= 3 && args[0] == "merge") {
    merge(args[1], {args.begin() + 2, args.end()});
  } else {
    fmt::print(stderr, "fits_bench write|read|chunks|merge ...; see fits_bench.cpp\n");
    return 2;
  }
}
