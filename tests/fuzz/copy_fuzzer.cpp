// Whatever a database sends as a binary COPY stream, it is decoded or refused. The first two bytes
// of the input say how many bytes arrive at once, and how many rows are wanted.
#include <algorithm>
#include <numeric>

#include "fuzz_file.hpp"
#include "qsohost/postgres.hpp"

using namespace qsohost;
using namespace qsohost::fuzz;

namespace {

std::vector<PgColumn> columns() {
  std::vector<PgColumn> all;
  for (const DType dtype : {DType::I64, DType::Bool, DType::I16, DType::F32, DType::String}) {
    all.push_back({{"c", dtype, "", ""}, "scalar"});
    all.back().is_padded = dtype == DType::String;
  }
  for (const DType dtype : {DType::I32, DType::F64, DType::String}) {
    all.push_back({{"a", dtype, "", ""}, "array", PgShape::Varying});
    all.push_back({{"f", dtype, "", "", 2}, "array", PgShape::Fixed});
  }
  return all;
}

void check(const PgColumn& column, const PgCells& cells, std::size_t rows) {
  const auto total = std::accumulate(cells.lengths.begin(), cells.lengths.end(), std::uint64_t{0});
  const bool varies = column.shape == PgShape::Varying;
  if (cells.lengths.size() != (varies ? rows : 0)) std::abort();
  if (cells.values.size() != (varies ? total : rows)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t part = data[0] + 1U;
  const std::size_t most = data[1] % 5U + 1;
  std::string_view stream(reinterpret_cast<const char*>(data) + 2, size - 2);
  PgCopyReader reader(columns(), [&](std::string& buffer) {
    const std::string_view next = stream.substr(0, part);
    stream.remove_prefix(next.size());
    buffer += next;
    return !next.empty();
  });
  refusing([&] {
    for (;;) {
      const std::vector<PgCells> cells = reader.next(most);
      const std::size_t rows = cells.front().values.size();
      if (rows > most) std::abort();
      for (std::size_t i = 0; i < cells.size(); ++i) check(reader.columns()[i], cells[i], rows);
      if (rows == 0) return;
    }
  });
  return 0;
}
