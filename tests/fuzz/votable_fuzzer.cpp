// libFuzzer target: whatever bytes a VOTable holds, reading it ends in a table or in a RunError,
// never in a crash, an endless loop or gigabytes of memory.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "files/opened_file.hpp"
#include "fuzz_file.hpp"
#include "votable/votable_input.hpp"

namespace {

namespace fs = std::filesystem;
using namespace qsohost;
using namespace qsohost::fuzz;

const fs::path& file() {
  static const fs::path path = folder() / "in.vot";
  return path;
}

void check(const Cells& cells, std::uint64_t rows) {
  const auto total = std::accumulate(cells.lengths.begin(), cells.lengths.end(), std::uint64_t{0});
  const bool is_array = !cells.lengths.empty();
  if (is_array && (total != cells.values.size() || cells.lengths.size() != rows)) std::abort();
  if (!is_array && rows > 0 && cells.values.size() != rows) std::abort();
}

void read_all(const std::string& hdu) {
  constexpr std::uint64_t kPart = 700;  // rows; not the size of the blocks in which they are kept
  const auto table = open_votable(OpenedFile(file()), hdu);
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < table->columns().size(); ++i) {
    if (table->columns()[i].problem.empty()) columns.push_back(i);
  }
  for (std::uint64_t first = 0; first < table->rows(); first += kPart) {
    const std::uint64_t rows = std::min(kPart, table->rows() - first);
    for (const Cells& cells : table->read(first, rows, columns)) check(cells, rows);
  }
  static_cast<void>(table->others());
  static_cast<void>(table->time_system());
  static_cast<void>(table->warnings());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  write(file(), data, size);
  for (const char* hdu : {"", "2", "b"}) {
    try {
      read_all(hdu);
    } catch (const RunError&) {
      // What a damaged file should get.
    }
  }
  return 0;
}
