// A piece of one table of the sky, with the columns of columns/*.tsv, and the merging of pieces to
// a file.
#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "columns.hpp"
#include "qsohost/column.hpp"
#include "qsohost/io/fits.hpp"

namespace qsohost::skysim {

class Table {
 public:
  explicit Table(std::string_view name);

  Column& at(std::string_view column);  // throws RunError

  // One cell for each of `rows`: value(i) is a number (NaN: missing), an int64 or a string.
  template <class F>
  void fill(std::string_view column, std::size_t rows, const F& value) {
    Column& out = at(column);
    using Value = std::invoke_result_t<F, std::size_t>;
    for (std::size_t i = 0; i < rows; ++i) {
      if constexpr (std::is_convertible_v<Value, std::string_view>) {
        out.append_string(value(i));
      } else if constexpr (std::is_same_v<Value, std::int64_t>) {
        out.append<std::int64_t>(value(i));
      } else {
        append_number(out, static_cast<double>(value(i)));
      }
    }
  }
  // Fills the columns that are still empty by their rules. `first_row` counts in the whole table.
  void fill_rest(std::uint64_t seed, std::uint64_t first_row, std::size_t rows,
                 const std::function<double(std::size_t)>& redshift = {});
  // Ends a row: its arrays are the values appended to the axis's columns since the last call.
  void end_row(std::string_view axis);

  static void append_number(Column& column, double value);
  void append_number(std::string_view column, double value) { append_number(at(column), value); }

  std::size_t rows() const;
  void write(const std::filesystem::path& file) const;

 private:
  std::string name_;
  const std::vector<ColumnSpec>& specs_;
  std::deque<Column> columns_;
  std::map<std::string, std::size_t, std::less<>> places_;
  std::map<std::string, std::vector<std::uint64_t>, std::less<>> offsets_;
};

// Pieces of a table, written in any order from any thread, merged in the order of their numbers.
class TableParts {
 public:
  // Writes `file`; its pieces are stored beside it until then.
  TableParts(std::filesystem::path file, std::string table);
  ~TableParts();  // removes the pieces

  void add(std::uint64_t number, const Table& piece);
  // `sort_by`: rows ascending in this column; "": in the order of the pieces.
  void merge(const std::string& sort_by = "", std::vector<FitsKeyword> keywords = {});

 private:
  std::filesystem::path file_;
  std::string table_;
  std::mutex mutex_;
  std::map<std::uint64_t, std::filesystem::path> parts_;
};

// Adds the table of a file to another file, as its next HDU.
void append_hdu(const std::filesystem::path& file, const std::filesystem::path& table);

// Calls work(0) ... work(count - 1) on this number of threads. Rethrows the first exception.
void in_parallel(std::uint64_t count, unsigned threads,
                 const std::function<void(std::uint64_t)>& work);

}  // namespace qsohost::skysim
