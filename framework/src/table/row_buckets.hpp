// The rows of a table sorted by object in a temporary file. Objects are divided into buckets of
// consecutive ones; a bucket's rows are loaded and ordered when its objects are read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "files/spool.hpp"
#include "qsohost/io/grouped_rows.hpp"
#include "qsohost/io/input_table.hpp"

namespace qsohost::inline io_v1 {

class RowBuckets {
 public:
  // `starts`: of the rows of each object among the sorted ones, and the end of the last.
  RowBuckets(const InputTable& table, std::span<const std::size_t> columns,
             std::span<const std::uint64_t> starts, std::size_t row_bytes,
             std::size_t bucket_bytes);

  // Rows of the table, in its order: columns, object and number of each row.
  void add(std::vector<Cells> columns, const std::vector<std::uint64_t>& objects,
           std::uint64_t first_row);
  // Of objects first to first + count - 1, once all rows are added. `counts` is left to the caller.
  void read(std::uint64_t first, std::uint64_t count, ObjectRows& to);

 private:
  struct Bucket {
    std::uint64_t first = 0;              // object
    std::vector<std::uint64_t> blocks{};  // of the spool, in the order of the table
  };
  struct Loaded {
    std::size_t bucket = 0;
    std::vector<Cells> columns;  // those of the table, objects, numbers of rows
  };
  std::size_t bucket_of(std::uint64_t object) const;
  std::vector<Cells> empty_cells() const;
  void load(std::size_t bucket);

  std::vector<ColumnInfo> infos_;  // of the columns in the spool
  std::span<const std::uint64_t> starts_;
  std::vector<Bucket> buckets_;
  Spool spool_;
  std::optional<Loaded> loaded_;
};

}  // namespace qsohost::inline io_v1
