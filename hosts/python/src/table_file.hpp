// A product, or any other table in a file, whole in memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arrow.hpp"
#include "qsohost/column.hpp"
#include "qsohost/io/fits_epochs.hpp"

namespace qsohost::python {

struct TableColumn {
  Column values;
  std::vector<std::uint64_t> offsets{};  // of arrays: those of row r begin at offsets[r]
};

struct Table {
  std::string extension;  // EXTNAME of FITS, or ""
  std::uint64_t rows = 0;
  std::vector<TableColumn> columns;
  std::vector<GroupInfo> groups;  // of a product with light curves, as a batch calls them
  std::vector<FitsEpochColumn> epoch_columns;  // which columns these have
  std::vector<std::string> history;
  std::vector<std::string> warnings;
};

// EXTNAME of the first table in the file, or "". Throws RunError if there is none.
std::string extension_of(const std::filesystem::path& file);
// `hdu` as in InputTable. Throws RunError that names the file and the place in it.
std::shared_ptr<const Table> read_table(const std::filesystem::path& file, const std::string& hdu);
ArrowTable arrow_table_of(std::shared_ptr<const Table> table);

}  // namespace qsohost::python
