// A FITS product as `score` reads it: columns of all rows, by name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "qsohost/io/fits.hpp"

namespace qsohost::skysim {

using Arrays = std::vector<std::vector<double>>;  // one a row

// Throws Error, naming the file, if a column is missing or of another shape.
class ProductTable {
 public:
  explicit ProductTable(std::filesystem::path file) : file_(std::move(file)), table_(file_) {}

  const std::filesystem::path& file() const { return file_; }
  bool has(const std::string& name) const { return table_.find(name).has_value(); }
  std::size_t rows() const { return table_.rows(); }

  // A column with one value per row.
  const Column& scalars(const std::string& name);
  // A column with arrays of varying length.
  Arrays arrays(const std::string& name);
  std::map<std::int64_t, std::size_t> rows_by_id();  // by source_id

 private:
  const Cells& column(const std::string& name);

  std::filesystem::path file_;
  FitsTable table_;
  std::map<std::string, Cells> columns_;
};

}  // namespace qsohost::skysim
