// Rows in an unnamed temporary file, block by block: of tables that can be read only from their
// beginning, and of tables that are sorted on disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "qsohost/column.hpp"
#include "qsohost/io/cells.hpp"

namespace qsohost::inline io_v1 {

// In memory it has 8 bytes a block, and a buffer. Throws RunError if the disk is full.
class Spool {
 public:
  // `name`: the file that the rows come from, for messages.
  Spool(std::vector<ColumnInfo> columns, std::string name);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  std::uint64_t blocks() const { return directories_.size(); }
  // Cells of all columns. A block's columns need not have equally many rows.
  void append(const std::vector<Cells>& block);
  // The columns at these positions.
  std::vector<Cells> read(std::uint64_t block, std::span<const std::size_t> columns) const;

 private:
  // What a block has of one column: the lengths of arrays; the values, or of strings their sizes
  // and their characters; and the mask of nulls, one byte a value.
  struct Chunk {
    std::uint64_t start = 0;  // in the file
    std::uint64_t lengths = 0;
    std::uint64_t values = 0;
    std::uint64_t characters = 0;
    std::uint64_t mask = 0;
  };
  Chunk append_column(const Cells& cells);
  template <class T>
  void put(std::span<const T> values);
  void flush();
  void read_at(std::uint64_t offset, std::span<std::byte> to) const;
  Cells read_column(Chunk chunk, const ColumnInfo& info) const;

  std::vector<ColumnInfo> columns_;
  std::string name_;
  int fd_;
  std::vector<std::uint64_t> directories_;  // where the chunks of each block are listed
  std::vector<std::byte> buffer_;           // the end of the file that is not yet written
  std::uint64_t end_ = 0;
};

}  // namespace qsohost::inline io_v1
