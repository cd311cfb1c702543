// What the service sends: a pair a row, in CSV.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace xmatch {

// Names of the uploaded columns, unlike those of any catalogue.
inline constexpr std::string_view kRowColumn = "qh_row";
inline constexpr std::string_view kRaColumn = "qh_ra";
inline constexpr std::string_view kDecColumn = "qh_dec";

struct MatchedRow {
  std::uint64_t left = 0;  // row of the left table
  double separation = 0;   // arcsec
  std::string id{};        // of the right row
  std::string cells{};     // of the right row, in CSV, in the order of RightColumns
};

// The right table's columns, as the first answer has them. Later answers may have them in another
// order.
struct RightColumns {
  std::string table;
  std::string id;  // name of the column
  std::vector<std::string> names{};
};

// Throws TryAgain if this is no answer, or one that is cut; RunError if it lacks columns. The first
// answer sets columns.names.
std::vector<MatchedRow> read_answer(std::string_view body, RightColumns& columns);

// Appends a cell of CSV (RFC 4180), with a comma if it is not the first.
void append_cell(std::string& line, std::string_view cell, bool is_first);

}  // namespace xmatch
