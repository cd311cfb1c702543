// A catalogue file, whatever its form: columns, and rows in blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <qsohost/plugin.hpp>

namespace catalog {

struct InputColumn {
  qsohost::ColumnInfo info;
  std::string trouble;     // why it cannot be a column of objects; empty if it can
  std::string why_text{};  // why a column of a text table does not hold numbers
};

class TableInput {
 public:
  virtual ~TableInput() = default;
  virtual const std::string& name() const = 0;  // of the file
  virtual const std::vector<InputColumn>& columns() const = 0;
  std::vector<std::string> column_names() const {
    std::vector<std::string> names;
    for (const InputColumn& column : columns()) names.push_back(column.info.name);
    return names;
  }
  virtual std::uint64_t rows() const = 0;

  // Goes back to the first row; from now on these columns (positions) are read.
  virtual void start(std::vector<std::size_t> columns) = 0;
  // Makes this row the next, as far as there are so many; false if it cannot.
  virtual bool skip_to(std::uint64_t /*row*/) { return false; }
  // The next rows, up to n; a column each as chosen, without cells at the end.
  virtual std::vector<qsohost::Column> next(std::size_t n) = 0;
  // Where row i of the last block is in the file: "row 12" or "line 13".
  virtual std::string place(std::size_t i) const = 0;
};

// FITS or a text table (CSV, TSV, IPAC, VOTable), told apart by content; `hdu` is for FITS.
std::unique_ptr<TableInput> open_table(const std::filesystem::path& file, const std::string& hdu);
std::unique_ptr<TableInput> open_text(const std::filesystem::path& file);

}  // namespace catalog
