// Joins a catalogue to light-curve files: its columns, row by row, by identifier.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <qsohost/io/identifiers.hpp>
#include <qsohost/io/input_columns.hpp>
#include <qsohost/io/input_table.hpp>
#include <qsohost/plugin.hpp>

#include "curve_layout.hpp"

namespace curves {

class CatalogJoin {
 public:
  // The chosen columns, or by default all whose names are not in `taken` (lower case), except those
  // that cannot be read: see left_out(). Throws RunError if two would have the same name.
  CatalogJoin(const std::filesystem::path& file, const std::string& hdu, const std::string& id,
              const std::set<std::string>& taken, const Chosen& chosen);

  std::vector<qsohost::ColumnInfo> columns() const;
  const std::vector<std::string>& left_out() const { return left_out_; }
  bool has(const qsohost::Column& ids, std::size_t i) const {
    return row_of(ids, i) != qsohost::IdIndex::kNone;
  }
  const std::vector<std::string>& warnings() const { return warnings_; }

  // Its columns for these objects; missing values where it lacks them.
  std::vector<qsohost::Column> rows_of(const qsohost::Column& ids);

 private:
  // Integers here and texts there are compared as texts.
  std::uint64_t row_of(const qsohost::Column& ids, std::size_t i) const;
  void take_all(const std::set<std::string>& taken);
  void take(const std::vector<std::string>& chosen);
  void add(std::size_t field, const std::string& name);
  void append(const qsohost::Column& ids, std::size_t first, std::size_t count,
              std::vector<qsohost::Column>& out);
  std::string name_;
  qsohost::InputTable table_;
  std::size_t id_;
  qsohost::IdIndex index_;
  std::vector<std::size_t> fields_;  // the identifier is the last
  std::vector<std::string> names_;   // in the batch, of all but the identifier
  qsohost::ObjectNames taken_;
  std::vector<std::string> left_out_;
  std::vector<std::string> warnings_;
};

}  // namespace curves
