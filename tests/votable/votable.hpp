// VOTables of tests, and what is read of them, as texts.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <catch2/catch.hpp>

#include <fstream>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include <qsohost/io/input_table.hpp>

#include "folder.hpp"

using Rows = std::vector<std::vector<std::string>>;

// Line 4 is the first of `inside`.
inline std::string votable(const std::string& inside) {
  return "<?xml version=\"1.0\"?>\n<VOTABLE version=\"1.4\" "
         "xmlns=\"http://www.ivoa.net/xml/VOTable/v1.3\">\n<RESOURCE>\n" +
         inside + "</RESOURCE>\n</VOTABLE>\n";
}

inline std::string tabledata(const std::string& rows) {
  return "<DATA><TABLEDATA>\n" + rows + "\n</TABLEDATA></DATA>";
}

// A table of one column.
inline std::string one_column(const std::string& field, const std::vector<std::string>& cells) {
  return votable(fmt::format(
      "<TABLE><FIELD name=\"c\" {}</FIELD>{}</TABLE>", field,
      tabledata(fmt::format("<TR><TD>{}</TD></TR>", fmt::join(cells, "</TD></TR>\n<TR><TD>")))));
}

inline qsohost::InputTable open(const std::string& text, std::string_view hdu = "") {
  const Folder folder;  // the file is read when it is opened
  std::ofstream(folder / "t.vot", std::ios::binary) << text;
  return qsohost::InputTable(folder / "t.vot", hdu);
}

inline std::string value_of(const qsohost::Column& column, std::size_t i) {
  using namespace qsohost;
  if (column.is_null(i)) return "null";
  switch (column.dtype()) {
    case DType::Bool:
      return column.values<bool>()[i] != 0 ? "true" : "false";
    case DType::I64:
      return fmt::format("{}", column.values<std::int64_t>()[i]);
    case DType::F32:
      return fmt::format("{}", column.values<float>()[i]);
    case DType::String:
      return "'" + std::string(column.strings()[i]) + "'";
    default:
      return fmt::format("{}", column.number(i));
  }
}

// All cells, row by row: 1.5, 'text', null; [1 2] for arrays; (1 2) for cells of fixed width.
inline Rows rows_of(qsohost::InputTable& table, std::uint64_t first, std::uint64_t count) {
  std::vector<std::size_t> readable;
  for (std::size_t i = 0; i < table.columns().size(); ++i) {
    if (table.columns()[i].problem.empty()) readable.push_back(i);
  }
  Rows rows(count);
  for (const qsohost::Cells& cells : table.read(first, count, readable)) {
    std::size_t at = 0;
    for (std::size_t row = 0; row < count; ++row) {
      const bool is_array = !cells.lengths.empty();
      const std::size_t n = is_array ? cells.lengths[row] : cells.values.width();
      std::vector<std::string> values;
      for (std::size_t i = 0; i < n; ++i) values.push_back(value_of(cells.values, at++));
      const std::string text = fmt::format("{}", fmt::join(values, " "));
      rows[row].push_back(is_array ? "[" + text + "]" : n == 1 ? text : "(" + text + ")");
    }
  }
  return rows;
}

inline Rows rows_of(qsohost::InputTable table) {
  return rows_of(table, 0, table.rows());
}

// The cells of a table's first column.
inline std::vector<std::string> column_of(const std::string& text) {
  std::vector<std::string> out;
  for (const auto& row : rows_of(open(text))) out.push_back(row.at(0));
  return out;
}
