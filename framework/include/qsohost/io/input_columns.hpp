// Columns of input tables, by the same rules wherever a table is read: which column a name means,
// which names may occur together, and what a column of positions must be.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "qsohost/api.hpp"
#include "qsohost/column.hpp"
#include "qsohost/io/input_table.hpp"
#include "qsohost/names.hpp"

namespace qsohost::inline io_v1 {

// The positions of the columns that `name` can mean: exact matches; without one, those that differ
// only in case.
QSOHOST_API std::vector<std::size_t> columns_called(std::span<const std::string> columns,
                                                    std::string_view name);

// The position of the one column that `name` means. Throws RunError if there is none (with the
// nearest names) or more than one; `option` is where the user wrote the name.
QSOHOST_API std::size_t find_column(std::span<const std::string> columns, std::string_view name,
                                    std::string_view file, std::string_view option);

// The same of a table's columns; where another table of the file has the column, the error says so.
QSOHOST_API std::size_t find_column(const InputTable& table, std::string_view name,
                                    std::string_view option);

// Why a column cannot be one of objects, which has a fixed number of values a row; empty if it can.
QSOHOST_API std::string column_problem(const InputColumn& column);

// The names that a source gives to the columns of its objects. FITS ignores case, so two names that
// differ only in case are refused before the run, not when the file is written.
class QSOHOST_API ObjectNames {
 public:
  // `advice`: how the user leaves a column out, for the message.
  explicit ObjectNames(std::string advice = "list the columns that you want in option 'columns'")
      : advice_(std::move(advice)) {}
  // `column` of `file` is to be called `name`. Throws RunError, which names both columns, if
  // another column has that name.
  void add(std::string_view name, std::string_view column, std::string_view file);
  bool has(std::string_view name) const { return origins_.contains(lower_case(name)); }

 private:
  std::string advice_;
  std::map<std::string, std::string> origins_;  // by name in lower case
};

// Degrees per unit; 1 for "". None if it is not a unit of angles.
QSOHOST_API std::optional<double> degrees_in(std::string_view unit);

// Throws RunError unless the column holds numbers, one a row, without a unit or in one of angles.
QSOHOST_API void check_position_column(const InputColumn& column, std::string_view file,
                                       std::string_view option);

}  // namespace qsohost::inline io_v1
