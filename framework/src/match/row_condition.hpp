// A condition in SQL on the rows of a table, evaluated by SQLite.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "qsohost/io/input_table.hpp"

namespace qsohost::inline io_v1 {

// Column names ignore case. Flags are 0 and 1, nulls and NaN are NULL. A row is selected if the
// condition is true, not if it is false or NULL.
class RowCondition {
 public:
  // Throws RunError (naming option 'where', `file` and the condition) for wrong syntax, unknown
  // columns, and columns with several values a row.
  RowCondition(const InputTable& table, std::string file, std::string text);
  ~RowCondition();
  RowCondition(RowCondition&&) noexcept;
  RowCondition& operator=(RowCondition&&) noexcept;

  // Positions of the columns that it names.
  const std::vector<std::size_t>& fields() const;

  // One entry a row, 1 if it is selected. `cells`: as read for fields(); `first`: first row, from
  // 0, for messages.
  std::vector<std::uint8_t> test(const std::vector<Cells>& cells, std::size_t rows,
                                 std::uint64_t first) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace qsohost::inline io_v1
