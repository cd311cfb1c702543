// Reads a whole table, in blocks, as stages do; prints rows, a sum of all numbers, seconds of
// processor time and of the clock, and peak memory in MB. See tables.py.
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <ctime>
#include <fstream>
#include <numeric>
#include <string>
#include <vector>

#include "qsohost/io/input_table.hpp"

namespace {

// The peak of this program alone: getrusage counts the pages of whoever started it, too.
long peak_megabytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stol(line.substr(6)) / 1024;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto begin = std::chrono::steady_clock::now();
  qsohost::InputTable table(argv[1]);
  std::vector<std::size_t> columns(table.columns().size());
  std::iota(columns.begin(), columns.end(), std::size_t{0});
  constexpr std::uint64_t kBlock = 4096;
  double sum = 0;
  for (std::uint64_t first = 0; first < table.rows(); first += kBlock) {
    const std::uint64_t count = std::min(kBlock, table.rows() - first);
    for (const qsohost::Cells& cells : table.read(first, count, columns)) {
      if (cells.values.dtype() == qsohost::DType::String) continue;
      for (std::size_t i = 0; i < cells.values.size(); ++i) {
        const double value = cells.values.number(i);
        if (std::isfinite(value)) sum += value;
      }
    }
  }
  const std::chrono::duration<double> clock = std::chrono::steady_clock::now() - begin;
  fmt::print("{} {:.6e} {:.3f} {:.3f} {}\n", table.rows(), sum,
             static_cast<double>(std::clock()) / CLOCKS_PER_SEC, clock.count(), peak_megabytes());
  return 0;
}
