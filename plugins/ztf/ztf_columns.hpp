// The 24 columns of an answer, each with the way from a cell to an Epoch and from there to a
// column.
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
  bool is_required;  // in the header of every answer
  bool in_product;   // see Port::in_product
  // False when the cell is no number of the column's type and range.
  bool (*read)(std::string_view cell, Epoch& epoch);
  void (*copy)(const Epoch& from, Epoch& to);
  // Appends these epochs; nulls are set by the caller.
  void (*append)(std::span<const Epoch* const> epochs, qsohost::Column& column);
};

// Without filtercode, which says which group a row belongs to; those of the usual product in its
// order. Position k is bit k of Epoch::nulls.
std::span<const ColumnRule> column_rules();

}  // namespace ztf
