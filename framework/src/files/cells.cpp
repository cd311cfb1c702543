#include "qsohost/io/cells.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace qsohost::inline io_v1 {

namespace {

bool is_float(const Column& column) {
  return column.dtype() == DType::F32 || column.dtype() == DType::F64;
}

bool is_fixed(const Cells& cells) {
  return cells.lengths.empty() && cells.values.width() > 1;
}

// Of each row: up to the last number of the columns of floats.
std::vector<std::uint64_t> lengths_without_padding(std::span<const Cells> columns) {
  std::vector<std::uint64_t> lengths(columns[0].values.size(), 0);
  for (const Cells& cells : columns) {
    if (!is_float(cells.values)) continue;
    const std::size_t width = cells.values.width();
    for (std::size_t row = 0; row < lengths.size(); ++row) {
      std::size_t n = width;
      while (n > lengths[row] && !std::isfinite(cells.values.number(row * width + n - 1))) --n;
      lengths[row] = std::max<std::uint64_t>(lengths[row], n);
    }
  }
  return lengths;
}

Column first_values(const Column& fixed, const std::vector<std::uint64_t>& lengths) {
  ColumnInfo info = fixed.info();
  info.width = 1;
  info.shape.clear();
  Column out(std::move(info));
  for (std::size_t row = 0; row < lengths.size(); ++row) {
    out.append_values(fixed, row * fixed.width(), lengths[row]);
  }
  return out;
}

}  // namespace

void fixed_to_arrays(std::span<Cells> columns) {
  if (columns.empty()) return;
  const std::size_t width = columns[0].values.width();
  const bool is_padded =
      std::ranges::all_of(
          columns, [&](const Cells& c) { return is_fixed(c) && c.values.width() == width; }) &&
      std::ranges::any_of(columns, [](const Cells& c) { return is_float(c.values); });
  std::vector<std::uint64_t> lengths;
  if (is_padded) lengths = lengths_without_padding(columns);
  for (Cells& cells : columns) {
    if (!is_fixed(cells)) continue;
    if (!is_padded) lengths.assign(cells.values.size(), cells.values.width());
    cells.values = first_values(cells.values, lengths);
    cells.lengths = lengths;
  }
}

}  // namespace qsohost::inline io_v1
