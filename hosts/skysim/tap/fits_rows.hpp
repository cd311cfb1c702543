// Rows of the sky's files as cells of TAP tables.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "qsohost/io/fits.hpp"
#include "tap/table.hpp"

namespace qsohost::skysim {

class FitsRow {
 public:
  FitsRow(const std::vector<Cells>& cells, std::size_t row, const std::vector<std::size_t>& begins)
      : cells_(cells), row_(row), begins_(begins) {}

  // Of the fields asked for, by their place.
  TapCell cell(std::size_t field) const;  // an array as one text: values, blanks between them
  std::size_t length(std::size_t field) const;
  TapCell element(std::size_t field, std::size_t i) const;  // of an array

 private:
  const std::vector<Cells>& cells_;
  std::size_t row_;
  const std::vector<std::size_t>& begins_;  // of this row's arrays
};

// Throws RunError if the file or a field is missing.
void for_each_row(const std::filesystem::path& file, const std::vector<std::string>& fields,
                  const std::function<void(const FitsRow&)>& work);

// Of so many rows that were read.
void for_each_of(const std::vector<Cells>& cells, std::size_t count,
                 const std::function<void(const FitsRow&)>& work);

// Those of columns/NAME.tsv, in its order.
std::vector<TapColumn> tap_columns(const std::string& list);
std::vector<std::string> names_of(const std::vector<TapColumn>& columns);

}  // namespace qsohost::skysim
