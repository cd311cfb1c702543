// The table of a comparison, written batch by batch.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <fstream>
#include <memory>
#include <vector>

#include "qsohost/batch.hpp"
#include "qsohost/io/fits.hpp"

namespace qsohost::cli {

class CompareTable {
 public:
  virtual ~CompareTable() = default;
  virtual void add(const std::deque<Column>& columns) = 0;  // of one batch, equal lengths
  virtual void finish() = 0;  // moves the file to its place; without it no file is left
};

// CSV by the file's extension, else FITS. `empty`: the columns, without rows.
std::unique_ptr<CompareTable> make_compare_table(const std::filesystem::path& file,
                                                 const FitsHeader& header,
                                                 const std::deque<Column>& empty);

}  // namespace qsohost::cli
