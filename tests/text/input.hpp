// For the tests of text forms as inputs: a table in a file of its own, with all cells as texts.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <qsohost/io/input_table.hpp>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "../support/folder.hpp"
#include "table.hpp"

inline std::filesystem::path write_file(const Folder& folder, std::string_view content) {
  const std::filesystem::path path = folder / "table.txt";
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

// A value as text; "null" for a null and for NaN.
inline std::string value_of(const qsohost::Column& column, std::size_t i) {
  if (column.is_null(i)) return "null";
  if (column.dtype() == qsohost::DType::String) return std::string(column.strings()[i]);
  if (column.dtype() == qsohost::DType::I64) {
    return std::to_string(column.values<std::int64_t>()[i]);
  }
  const double number = column.number(i);
  return std::isnan(number) ? "null" : fmt::format("{}", number);
}

// Cell `row` of a column; of arrays and cells of several values the values in brackets.
inline std::string cell_of(const qsohost::Cells& cells, std::size_t row) {
  const std::size_t width = cells.values.width();
  if (cells.lengths.empty() && width == 1) return value_of(cells.values, row);
  std::size_t begin = row * width;
  std::size_t count = width;
  if (!cells.lengths.empty()) {
    begin = std::accumulate(cells.lengths.begin(), cells.lengths.begin() + static_cast<long>(row),
                            std::size_t{0});
    count = cells.lengths[row];
  }
  std::vector<std::string> values;
  for (std::size_t i = begin; i < begin + count; ++i) values.push_back(value_of(cells.values, i));
  return fmt::format("[{}]", fmt::join(values, ","));
}

// A table with its columns that have no problem.
struct Read {
  explicit Read(std::string_view content) : table(write_file(folder, content)) {
    std::vector<std::size_t> readable;
    for (std::size_t i = 0; i < table.columns().size(); ++i) {
      const qsohost::InputColumn& column = table.columns()[i];
      if (!column.problem.empty()) continue;
      readable.push_back(i);
      names.push_back(column.info.name);
      types.emplace_back(name_of(column.info.dtype));
    }
    cells = table.read(0, table.rows(), readable);
    for (std::size_t row = 0; row < table.rows(); ++row) {
      std::vector<std::string>& out = rows.emplace_back();
      for (const qsohost::Cells& column : cells) out.push_back(cell_of(column, row));
    }
  }

  Folder folder;
  qsohost::InputTable table;
  std::vector<std::string> names;
  std::vector<std::string> types;
  std::vector<qsohost::Cells> cells;
  Rows rows;
};

// The message for a file that cannot be read.
inline std::string refusal(std::string_view content) {
  return error_of([&] { const Read read(content); });
}
