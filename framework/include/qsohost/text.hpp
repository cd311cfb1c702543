// Reading the tables that archives send: CSV, TSV, IPAC tables and VOTables, told apart by content.
#pragma once

#include <charconv>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "qsohost/api.hpp"

namespace qsohost::inline v1 {

enum class TableFormat : std::uint8_t { Csv, Tsv, Ipac, VoTable };

// Numbers as archives print them: blanks around are skipped; "" and "null" are none; for integers
// "0x1f" is hexadecimal; for floats "nan" is NaN. None as well for anything that is not a number.
QSOHOST_API std::optional<double> parse_double(std::string_view text);
QSOHOST_API std::optional<std::int64_t> parse_int(std::string_view text);

// Rows of a table in memory. The text must outlive the reader. Cells are views into it, valid until
// the next call.
class QSOHOST_API TableReader {
 public:
  // Throws TryAgain when the text is not a table but looks like a broken or refused answer (empty,
  // HTML, QUERY_STATUS ERROR: with the archive's own words), BadObject for a malformed table.
  explicit TableReader(std::string_view text);
  ~TableReader();
  TableReader(TableReader&&) noexcept;

  TableFormat format() const;
  const std::vector<std::string>& columns() const;
  // Position of a column; none if there is no such column.
  std::optional<std::size_t> column(std::string_view name) const;

  // The next row's cells, as many as columns(). False at the end. Throws TryAgain when the text
  // ends in the middle of a row (a cut answer), BadObject for a row with another number of cells;
  // both name the line.
  bool next(std::vector<std::string_view>& cells);
  std::size_t line() const;  // of the row that next() gave, from 1

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace qsohost::inline v1
