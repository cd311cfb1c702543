// The 24 columns of a response, each with functions to parse a cell into an Epoch and to append
// epochs to a column.
#pragma once

#include <qsohost/column.hpp>

#include <span>
#include <string_view>

#include "ztf_answer.hpp"

namespace ztf {

struct ColumnRule {
  std::string_view name;
  qsohost::DType dtype;
  std::string_view unit;
  std::string_view help;
  bool is_required;  // in the header of every response
  bool is_filled;    // in every row: one without a value is malformed
  bool in_product;   // see Port::in_product
  // False if the cell is not a number of the column's type and range.
  bool (*read)(std::string_view cell, Epoch& epoch);
  // The same of a value of a column, which is not null.
  bool (*take)(const qsohost::Column& column, std::size_t i, Epoch& epoch);
  void (*copy)(const Epoch& from, Epoch& to);
  bool (*equal)(const Epoch& a, const Epoch& b);
  // Appends these epochs; the caller sets nulls.
  void (*append)(std::span<const Epoch* const> epochs, qsohost::Column& column);
};

// Without filtercode, which selects the group of a row; those of the default product in its order.
// Position k is bit k of Epoch::nulls.
std::span<const ColumnRule> column_rules();

}  // namespace ztf
