// A condition in SQL on the rows of a FITS table, evaluated by SQLite.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <qsohost/io/fits.hpp>

namespace crossmatch {

// Columns are found without regard to case; numbers stand for themselves, flags for 0 and 1, nulls
// and NaN for NULL. A row is taken if the condition is true: not if it is false or NULL.
class Condition {
 public:
  // Throws RunError (naming option 'where', `file` and the condition) for wrong syntax, unknown
  // columns, and columns with several values a row.
  Condition(const qsohost::FitsTable& table, std::string file, std::string text);
  ~Condition();
  Condition(Condition&&) noexcept;
  Condition& operator=(Condition&&) noexcept;

  // The columns that it names, by position.
  const std::vector<std::size_t>& fields() const;

  // One entry a row, 1 if it is taken. `cells` as read of fields(); `first` counts rows from 0 and
  // is for messages.
  std::vector<std::uint8_t> test(const std::vector<qsohost::FitsCells>& cells, std::size_t rows,
                                 std::uint64_t first) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace crossmatch
