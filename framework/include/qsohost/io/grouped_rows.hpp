// The rows of a table by object, for tables with several rows an object, e.g. one an epoch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "qsohost/api.hpp"
#include "qsohost/column.hpp"
#include "qsohost/context.hpp"
#include "qsohost/io/cells.hpp"
#include "qsohost/io/input_table.hpp"

namespace qsohost::inline io_v1 {

class RowBuckets;

// Rows of consecutive objects: those of an object one after another, in the order of the file.
struct ObjectRows {
  std::vector<Cells> columns;          // as InputTable::read()
  std::vector<std::uint64_t> counts;   // rows of each object
  std::vector<std::uint64_t> numbers;  // of each row in the table, from 0
};

// Objects are in the order of their first rows. If each object's rows stand together in the table,
// they are read from it directly; if not, the rows are sorted in a temporary file first (in TMPDIR,
// about as large as the columns that are read).
//
// Memory: 16 bytes an object (texts: and the text), some 70 while the rows are counted and sorted;
// with a temporary file also about four times `bucket_bytes`, or the rows of one object if these
// are more. No memory per row.
class QSOHOST_API GroupedRows {
 public:
  static constexpr std::size_t kBucketBytes = std::size_t{32} << 20;

  // Reads all identifiers, from the column at position `id`, and sorts the rows if needed, which it
  // tells the log. `columns`: positions of those to read; none may hold arrays. Throws RunError for
  // a missing identifier and a full disk, TryAgain when Context::stop_requested(). The table must
  // live as long as this.
  GroupedRows(InputTable& table, std::size_t id, std::vector<std::size_t> columns, Context& context,
              std::size_t bucket_bytes = kBucketBytes);
  ~GroupedRows();
  GroupedRows(const GroupedRows&) = delete;
  GroupedRows& operator=(const GroupedRows&) = delete;

  std::uint64_t objects() const { return ids_.size(); }
  // As id_column() makes them, of objects first to first + count - 1, counted from 0.
  Column ids(std::uint64_t first, std::uint64_t count) const;
  ObjectRows read(std::uint64_t first, std::uint64_t count);

 private:
  InputTable& table_;
  std::vector<std::size_t> columns_;
  Column ids_;                          // of each object
  std::vector<std::uint64_t> starts_;   // of its rows among the sorted ones, and their end
  std::unique_ptr<RowBuckets> sorted_;  // none: the table is in this order already
};

}  // namespace qsohost::inline io_v1
