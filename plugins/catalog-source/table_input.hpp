// A catalogue file of any format: columns, and rows in blocks.
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
  std::string why_text{};  // why a column of a text table is not numeric
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

  // Goes back to the first row and selects the columns (positions) to read.
  virtual void start(std::vector<std::size_t> columns) = 0;
  // Moves to this row, or to the end if there are fewer; false if not supported.
  virtual bool skip_to(std::uint64_t /*row*/) { return false; }
  // The next rows, at most n: one column for each chosen one, shorter or empty at the end.
  virtual std::vector<qsohost::Column> next(std::size_t n) = 0;
  // Where row i of the last block is in the file: "row 12" or "line 13".
  virtual std::string place(std::size_t i) const = 0;
};

// FITS or a text table (CSV, TSV, IPAC, VOTable), recognised by content; `hdu` is for FITS.
std::unique_ptr<TableInput> open_table(const std::filesystem::path& file, const std::string& hdu);
std::unique_ptr<TableInput> open_text(const std::filesystem::path& file);

}  // namespace catalog
