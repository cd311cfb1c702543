#include "text_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include <qsohost/error.hpp>
#include <qsohost/io/text.hpp>

namespace gaia {

namespace {

using qsohost::Column;
using qsohost::DType;
using qsohost::TryAgain;

std::string text_of(const Column& values, std::size_t i) {
  if (values.is_null(i)) return "";
  switch (values.dtype()) {
    case DType::Bool:
      return values.values<bool>()[i] != 0 ? "true" : "false";
    case DType::I16:
      return fmt::format("{}", values.values<std::int16_t>()[i]);
    case DType::I32:
      return fmt::format("{}", values.values<std::int32_t>()[i]);
    case DType::I64:
      return fmt::format("{}", values.values<std::int64_t>()[i]);
    case DType::F32:  // to the nearest float, as the text of an archive
      return fmt::format("{}", values.values<float>()[i]);
    case DType::F64:
      return fmt::format("{}", values.values<double>()[i]);
    case DType::String:
      return std::string(values.strings()[i]);
  }
  return "";
}

// Each row's cell of one column.
void append_cells(const qsohost::Cells& cells, std::vector<std::vector<std::string>>& rows) {
  const std::size_t width = cells.values.width();
  std::size_t next = 0;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const bool is_array = !cells.lengths.empty() || width > 1;
    if (!is_array) {
      rows[row].push_back(text_of(cells.values, row));
      continue;
    }
    const std::size_t count = cells.lengths.empty() ? width : cells.lengths[row];
    std::string list;
    for (std::size_t i = 0; i < count; ++i) {
      list += (i == 0 ? "" : ", ") + text_of(cells.values, next++);
    }
    rows[row].push_back(fmt::format("[{}]", list));
  }
}

TextTable read_binary(std::string_view text) {
  try {
    qsohost::InputTable input = qsohost::InputTable::in_response("table", text);
    std::vector<std::uint64_t> all(input.rows());
    std::iota(all.begin(), all.end(), 0);
    return rows_of(input, all);
  } catch (const qsohost::RunError& e) {
    throw TryAgain(e.what());
  }
}

bool is_lines(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \r\n\t\xef\xbb\xbf");
  text.remove_prefix(std::min(first, text.size()));
  return !text.starts_with('<') && !text.starts_with("SIMPLE") && !text.starts_with("# %ECSV");
}

// Throws TryAgain for errors in the form of a VOTable or of a page.
void check_no_error(std::string_view text) {
  try {
    const qsohost::TableReader reader(text);
  } catch (const qsohost::BadObject&) {  // binary, which it does not read
  }
}

}  // namespace

TextTable rows_of(qsohost::InputTable& input, std::span<const std::uint64_t> rows) {
  TextTable table;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < input.columns().size(); ++i) {
    if (!input.columns()[i].problem.empty()) continue;
    table.columns.push_back(input.columns()[i].info.name);
    places.push_back(i);
  }
  table.rows.resize(rows.size());
  for (const qsohost::Cells& cells : input.read(rows, places)) append_cells(cells, table.rows);
  for (const char* name : {"release", "source_id"}) {
    if (const auto value = input.keyword(name)) table.keywords[name] = *value;
  }
  return table;
}

TextTable read_table(std::string_view text) {
  if (!is_lines(text)) {
    if (!text.starts_with("SIMPLE") && !text.starts_with('#')) check_no_error(text);
    return read_binary(text);
  }
  qsohost::TableReader reader(text);
  TextTable table;
  table.columns = reader.columns();
  for (std::vector<std::string_view> cells; reader.next(cells);) {
    table.rows.emplace_back(cells.begin(), cells.end());
  }
  return table;
}

}  // namespace gaia
