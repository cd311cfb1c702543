#include "tap/fits_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "columns.hpp"
#include "qsohost/error.hpp"

namespace qsohost::skysim {

namespace {

constexpr std::uint64_t kBlock = 2000;  // rows in memory

std::string_view datatype(DType dtype) {
  constexpr std::array<std::string_view, 7> types{"boolean", "short",  "int", "long",
                                                  "float",   "double", "char"};
  static_assert(types.size() == static_cast<std::size_t>(DType::String) + 1,
                "each DType needs its type here");
  return types[static_cast<std::size_t>(dtype)];
}

TapCell value(const Column& column, std::size_t i) {
  if (column.is_null(i)) return {};
  switch (column.dtype()) {
    case DType::String:
      return std::string(column.strings()[i]);
    case DType::I64:
      return column.values<std::int64_t>()[i];
    case DType::F32:
    case DType::F64: {
      const double number = column.number(i);
      return std::isnan(number) ? TapCell{} : TapCell(number);
    }
    default:
      return static_cast<std::int64_t>(column.number(i));
  }
}

// Of an array. Only floats can be missing in one.
std::string element_text(const Column& column, std::size_t i) {
  if (column.dtype() == DType::F32) {
    const float number = column.values<float>()[i];
    return std::isnan(number) ? "NaN" : fmt::format("{}", number);
  }
  const TapCell cell = value(column, i);
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) return fmt::format("{}", *integer);
  if (const auto* number = std::get_if<double>(&cell)) return fmt::format("{}", *number);
  return "NaN";
}

}  // namespace

std::size_t FitsRow::length(std::size_t field) const {
  return cells_[field].lengths[row_];
}

TapCell FitsRow::element(std::size_t field, std::size_t i) const {
  return value(cells_[field].values, begins_[field] + i);
}

TapCell FitsRow::cell(std::size_t field) const {
  const Cells& cells = cells_[field];
  if (cells.lengths.empty()) return value(cells.values, row_);
  std::string text;
  for (std::size_t i = 0; i < length(field); ++i) {
    if (i > 0) text += ' ';
    text += element_text(cells.values, begins_[field] + i);
  }
  return text;
}

void for_each_of(const std::vector<Cells>& cells, std::size_t count,
                 const std::function<void(const FitsRow&)>& work) {
  std::vector<std::size_t> begins(cells.size());
  for (std::size_t row = 0; row < count; ++row) {
    work(FitsRow(cells, row, begins));
    for (std::size_t k = 0; k < cells.size(); ++k) {
      if (!cells[k].lengths.empty()) begins[k] += cells[k].lengths[row];
    }
  }
}

void for_each_row(const std::filesystem::path& file, const std::vector<std::string>& fields,
                  const std::function<void(const FitsRow&)>& work) {
  FitsTable table(file);
  std::vector<std::size_t> places;
  for (const std::string& field : fields) {
    const auto place = table.find(field);
    if (!place) throw RunError(fmt::format("{}: no column '{}'", file.string(), field));
    places.push_back(*place);
  }
  for (std::uint64_t first = 0; first < table.rows(); first += kBlock) {
    const std::uint64_t count = std::min(kBlock, table.rows() - first);
    for_each_of(table.read(first, count, places), count, work);
  }
}

std::vector<TapColumn> tap_columns(const std::string& list) {
  std::vector<TapColumn> columns;
  for (const ColumnSpec& spec : columns_of(list)) {
    columns.push_back({spec.info.name, std::string(datatype(spec.info.dtype)), spec.info.unit,
                       spec.info.description, !spec.axis.empty()});
  }
  return columns;
}

std::vector<std::string> names_of(const std::vector<TapColumn>& columns) {
  std::vector<std::string> names;
  for (const TapColumn& column : columns) names.push_back(column.name);
  return names;
}

}  // namespace qsohost::skysim
