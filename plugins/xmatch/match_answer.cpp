#include "match_answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include <qsohost/error.hpp>
#include <qsohost/io/input_columns.hpp>
#include <qsohost/io/text.hpp>

namespace xmatch {

namespace {

using qsohost::RunError;
using qsohost::TryAgain;

constexpr std::string_view kSeparation = "angDist";

bool is_of_right(std::string_view name) {
  return name != kSeparation && name != kRowColumn && name != kRaColumn && name != kDecColumn;
}

std::size_t own_column(const qsohost::TableReader& table, std::string_view name) {
  if (const auto column = table.column(name)) return *column;
  throw TryAgain(fmt::format("not the answer of a cross-match: there is no column '{}'", name));
}

// Where the right table's columns are in this answer.
std::vector<std::size_t> places_of(const qsohost::TableReader& table, RightColumns& columns) {
  if (columns.names.empty()) {
    std::ranges::copy_if(table.columns(), std::back_inserter(columns.names), is_of_right);
    qsohost::find_column(columns.names, columns.id, columns.table, "id");
  }
  std::vector<std::size_t> places;
  for (const std::string& name : columns.names) {
    const auto place = table.column(name);
    if (!place) {
      throw RunError(fmt::format(
          "{}: an answer of the service has no column '{}' any more, which earlier ones have; its "
          "table has changed: begin anew (--restart)",
          columns.table, name));
    }
    places.push_back(*place);
  }
  return places;
}

template <class T>
T number(const std::optional<T>& value, std::string_view column, std::string_view cell,
         std::size_t line) {
  if (value) return *value;
  throw TryAgain(fmt::format("line {}: '{}' is no {}", line, cell, column));
}

std::vector<MatchedRow> rows_of(qsohost::TableReader& table, RightColumns& columns) {
  const std::size_t row = own_column(table, kRowColumn);
  const std::size_t separation = own_column(table, kSeparation);
  const std::vector<std::size_t> places = places_of(table, columns);
  const std::size_t id =
      places[qsohost::find_column(columns.names, columns.id, columns.table, "id")];
  std::vector<MatchedRow> rows;
  std::vector<std::string_view> cells;
  while (table.next(cells)) {
    const auto left = qsohost::parse_int(cells[row]);
    const auto away = qsohost::parse_double(cells[separation]);
    MatchedRow& to = rows.emplace_back();
    to.left = static_cast<std::uint64_t>(number(left, kRowColumn, cells[row], table.line()));
    to.separation = number(away, kSeparation, cells[separation], table.line());
    to.id = cells[id];
    for (std::size_t i = 0; i < places.size(); ++i) {
      append_cell(to.cells, cells[places[i]], i == 0);
    }
  }
  return rows;
}

}  // namespace

void append_cell(std::string& line, std::string_view cell, bool is_first) {
  if (!is_first) line += ',';
  const bool is_plain = cell.find_first_of(",;\"\r\n# ") == std::string_view::npos;
  if (is_plain) {
    line += cell;
    return;
  }
  line += '"';
  for (const char c : cell) line.append(c == '"' ? 2 : 1, c);
  line += '"';
}

std::vector<MatchedRow> read_answer(std::string_view body, RightColumns& columns) {
  try {
    qsohost::TableReader table(body);
    return rows_of(table, columns);
  } catch (const qsohost::BadObject& e) {
    throw TryAgain(e.what());
  }
}

}  // namespace xmatch
