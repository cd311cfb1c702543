// Tables whose rows can only be read in blocks. Of the blocks the last one is kept, so rows that
// are asked for in the order of the file are read once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "files/table_input.hpp"

namespace qsohost::inline io_v1 {

class BlockInput : public TableInput {
 public:
  static constexpr std::uint64_t kBlockRows = 1024;

  std::vector<Cells> read(std::uint64_t first, std::uint64_t count,
                          std::span<const std::size_t> columns) final;
  std::vector<Cells> read(std::span<const std::uint64_t> rows,
                          std::span<const std::size_t> columns) final;

 protected:
  // All rows of block `number`: kBlockRows, or fewer in the last one.
  virtual std::vector<Cells> read_block(std::uint64_t number,
                                        std::span<const std::size_t> columns) = 0;

 private:
  struct Block {
    std::uint64_t number = 0;
    std::vector<std::size_t> columns;
    std::vector<Cells> cells;
    std::vector<std::vector<std::uint64_t>> starts;  // of the arrays of each column's rows
  };
  std::vector<Cells> empty_cells(std::span<const std::size_t> columns) const;
  const Block& block_with(std::uint64_t row, std::span<const std::size_t> columns);
  static void append(const Block& block, std::uint64_t first, std::uint64_t count,
                     std::vector<Cells>& out);

  std::optional<Block> block_;
};

}  // namespace qsohost::inline io_v1
