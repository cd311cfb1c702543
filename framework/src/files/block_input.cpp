#include "files/block_input.hpp"

#include <algorithm>
#include <utility>

namespace qsohost::inline io_v1 {

namespace {

// Where the arrays of the rows begin, and where the last one ends; empty for a column of single
// cells.
std::vector<std::vector<std::uint64_t>> starts_of(const std::vector<Cells>& all) {
  std::vector<std::vector<std::uint64_t>> out;
  for (const Cells& cells : all) {
    std::vector<std::uint64_t>& starts = out.emplace_back();
    if (cells.lengths.empty()) continue;
    starts.push_back(0);
    for (const std::uint64_t length : cells.lengths) starts.push_back(starts.back() + length);
  }
  return out;
}

}  // namespace

std::vector<Cells> BlockInput::empty_cells(std::span<const std::size_t> columns) const {
  std::vector<Cells> out;
  for (const std::size_t i : columns) out.push_back({Column(this->columns()[i].info), {}});
  return out;
}

const BlockInput::Block& BlockInput::block_with(std::uint64_t row,
                                                std::span<const std::size_t> columns) {
  const std::uint64_t number = row / kBlockRows;
  if (block_ && block_->number == number && std::ranges::equal(block_->columns, columns)) {
    return *block_;
  }
  block_.reset();
  Block block{number, {columns.begin(), columns.end()}, read_block(number, columns), {}};
  block.starts = starts_of(block.cells);
  return block_.emplace(std::move(block));
}

// Rows [first, first + count) of the block.
void BlockInput::append(const Block& block, std::uint64_t first, std::uint64_t count,
                        std::vector<Cells>& out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Cells& from = block.cells[i];
    const std::vector<std::uint64_t>& starts = block.starts[i];
    if (starts.empty()) {
      out[i].values.append_cells(from.values, first, count);
      continue;
    }
    out[i].values.append_cells(from.values, starts[first], starts[first + count] - starts[first]);
    const auto lengths = std::span(from.lengths).subspan(first, count);
    out[i].lengths.insert(out[i].lengths.end(), lengths.begin(), lengths.end());
  }
}

std::vector<Cells> BlockInput::read(std::uint64_t first, std::uint64_t count,
                                    std::span<const std::size_t> columns) {
  std::vector<Cells> out = empty_cells(columns);
  while (count > 0) {
    const Block& block = block_with(first, columns);
    const std::uint64_t begin = first % kBlockRows;
    const std::uint64_t part = std::min(count, kBlockRows - begin);
    append(block, begin, part, out);
    first += part;
    count -= part;
  }
  return out;
}

// Blocks are read once if the rows are in the order of the file; else each row is put in its place
// afterwards.
std::vector<Cells> BlockInput::read(std::span<const std::uint64_t> rows,
                                    std::span<const std::size_t> columns) {
  std::vector<std::size_t> order(rows.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return rows[i]; });
  Block sorted{0, {}, empty_cells(columns), {}};
  std::vector<std::uint64_t> place(rows.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    append(block_with(rows[order[i]], columns), rows[order[i]] % kBlockRows, 1, sorted.cells);
    place[order[i]] = i;
  }
  if (std::ranges::is_sorted(rows)) return std::move(sorted.cells);
  sorted.starts = starts_of(sorted.cells);
  std::vector<Cells> out = empty_cells(columns);
  for (const std::uint64_t i : place) append(sorted, i, 1, out);
  return out;
}

}  // namespace qsohost::inline io_v1
