// libFuzzer target: whatever bytes a text table holds (CSV and its relatives, ECSV, IPAC), reading
// it ends in a table or in an error, never in a crash, an endless loop or gigabytes of memory. What
// the first pass has accepted is read.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "files/opened_file.hpp"
#include "fuzz_file.hpp"
#include "qsohost/io/text.hpp"
#include "text/text_input.hpp"

namespace {

namespace fs = std::filesystem;
using namespace qsohost;
using namespace qsohost::fuzz;

const fs::path& file() {
  static const fs::path path = folder() / "in.txt";
  return path;
}

void check(const Cells& cells, bool is_array, std::uint64_t rows) {
  const auto total = std::accumulate(cells.lengths.begin(), cells.lengths.end(), std::uint64_t{0});
  if (cells.lengths.size() != (is_array ? rows : 0)) std::abort();
  if (cells.values.size() != (is_array ? total : rows)) std::abort();
}

void read_table(TableInput& table) {
  constexpr std::uint64_t kPart = 700;  // rows; not the size of a block
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < table.columns().size(); ++i) {
    if (table.columns()[i].problem.empty()) columns.push_back(i);
  }
  const auto read = [&](std::uint64_t rows, const std::vector<Cells>& cells) {
    for (std::size_t k = 0; k < columns.size(); ++k) {
      check(cells[k], table.columns()[columns[k]].is_array, rows);
    }
  };
  const std::uint64_t rows = table.rows();
  for (std::uint64_t first = 0; first < rows; first += kPart) {
    const std::uint64_t count = std::min(kPart, rows - first);
    read(count, table.read(first, count, columns));
  }
  if (rows > 0) {
    const std::vector<std::uint64_t> some{rows - 1, 0, rows / 2, 0};
    read(some.size(), table.read(some, columns));
    for (const std::uint64_t row : some) static_cast<void>(table.place(row));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  write(file(), data, size);
  std::unique_ptr<TableInput> table;
  refusing([&] { table = open_text(OpenedFile(file())); });
  if (table) read_table(*table);
  const std::string_view answer(reinterpret_cast<const char*>(data), size);
  refusing([&] {
    TableReader reader(answer);
    std::vector<std::string_view> cells;
    while (reader.next(cells)) {
      if (cells.size() != reader.columns().size()) std::abort();
    }
  });
  return 0;
}
