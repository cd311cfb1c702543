// A catalogue beside light-curve files: its columns, row by row, by identifier.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <qsohost/fits.hpp>
#include <qsohost/identifiers.hpp>
#include <qsohost/plugin.hpp>

namespace curves {

class CatalogJoin {
 public:
  // Columns called as one in `taken` (lower case) are not read, nor are arrays: see left_out().
  CatalogJoin(const std::filesystem::path& file, const std::string& hdu, const std::string& id,
              const std::set<std::string>& taken);

  std::vector<qsohost::ColumnInfo> columns() const;
  const std::vector<std::string>& left_out() const { return left_out_; }
  bool has(const qsohost::Column& ids, std::size_t i) const {
    return index_.row_of(ids, i) != qsohost::IdIndex::kNone;
  }

  // Its columns for these objects; missing values for those that it does not have.
  std::vector<qsohost::Column> rows_of(const qsohost::Column& ids);

 private:
  void append(const qsohost::Column& ids, std::size_t first, std::size_t count,
              std::vector<qsohost::Column>& out);
  std::string name_;
  qsohost::FitsTable table_;
  std::size_t id_;
  qsohost::IdIndex index_;
  std::vector<std::size_t> fields_;  // the identifier is the last
  std::vector<std::string> left_out_;
};

}  // namespace curves
