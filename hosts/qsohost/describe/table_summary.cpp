#include "describe/table_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "qsohost/time_system.hpp"

namespace qsohost::cli {
namespace {

constexpr std::uint64_t kMostRows = 20000;  // looked at; a large file would take minutes
constexpr std::size_t kFirstCells = 3;
constexpr std::size_t kLongestText = 24;
constexpr std::size_t kMostValues = 12;  // of a column that may hold bands

bool is_missing(const Column& column, std::size_t i) {
  if (column.is_null(i)) return true;
  if (column.dtype() == DType::String) return column.strings()[i].empty();
  return std::isnan(column.number(i));
}

std::string value_text(const Column& column, std::size_t i) {
  if (is_missing(column, i)) return "-";
  switch (column.dtype()) {
    case DType::String: {
      const std::string text(column.strings()[i]);
      return text.size() <= kLongestText ? text : text.substr(0, kLongestText - 3) + "...";
    }
    case DType::Bool:
      return column.values<bool>()[i] != 0 ? "true" : "false";
    case DType::I64:
      return std::to_string(column.values<std::int64_t>()[i]);
    case DType::F32:
      return fmt::format("{}", column.values<float>()[i]);
    default:
      return fmt::format("{}", column.number(i));
  }
}

// "[1.5, 2, ... 88]"
std::string array_text(const Column& column, std::uint64_t first, std::uint64_t count) {
  constexpr std::uint64_t kShown = 2;
  std::string out = "[";
  for (std::uint64_t k = 0; k < std::min(count, kShown); ++k) {
    out += fmt::format("{}{}", k == 0 ? "" : ", ", value_text(column, first + k));
  }
  if (count > kShown) out += ", ...";
  return out + "]";
}

// Adds a block of rows to what is known of one column.
class ColumnLook {
 public:
  explicit ColumnLook(ColumnSummary& summary) : summary_(summary) {}

  void add(const Cells& cells) {
    const Column& values = cells.values;
    std::uint64_t begin = 0;
    const std::uint64_t rows = cells.lengths.empty() ? values.size() : cells.lengths.size();
    for (std::uint64_t row = 0; row < rows; ++row) {
      const std::uint64_t count = cells.lengths.empty() ? values.width() : cells.lengths[row];
      add_cell(values, begin, count);
      begin += count;
    }
  }

  void finish() {
    if (!summary_.is_array() && values_.size() <= kMostValues) {
      summary_.values.assign(values_.begin(), values_.end());
    }
  }

 private:
  void add_cell(const Column& values, std::uint64_t begin, std::uint64_t count) {
    for (std::uint64_t k = 0; k < count; ++k) {
      if (is_missing(values, begin + k)) ++summary_.missing;
    }
    summary_.shortest = is_first_ ? count : std::min(summary_.shortest, count);
    summary_.longest = std::max(summary_.longest, count);
    is_first_ = false;
    const bool is_array = summary_.is_array();
    if (summary_.first.size() < kFirstCells) {
      summary_.first.push_back(is_array ? array_text(values, begin, count)
                                        : value_text(values, begin));
    }
    if (is_array || is_missing(values, begin)) return;
    if (!values_.insert(value_text(values, begin)).second) summary_.repeats = true;
  }

  ColumnSummary& summary_;
  bool is_first_ = true;
  std::set<std::string> values_;
};

TableSummary summary_of(InputTable& table, const std::string& hdu) {
  TableSummary out{.file = table.name(),
                   .hdu = hdu,
                   .form = std::string(table.form()),
                   .rows = table.rows(),
                   .looked_at = std::min(table.rows(), kMostRows),
                   .columns = {},
                   .warnings = table.warnings(),
                   .time_system = name_of(table.time_system().value_or(TimeSystem()))};
  std::vector<std::size_t> readable;
  for (std::size_t i = 0; i < table.columns().size(); ++i) {
    out.columns.emplace_back().column = table.columns()[i];
    if (table.columns()[i].problem.empty()) readable.push_back(i);
  }
  std::vector<ColumnLook> looks;
  for (const std::size_t i : readable) looks.emplace_back(out.columns[i]);
  constexpr std::uint64_t kBlock = 1024;
  for (std::uint64_t first = 0; first < out.looked_at; first += kBlock) {
    const auto cells = table.read(first, std::min(kBlock, out.looked_at - first), readable);
    for (std::size_t k = 0; k < looks.size(); ++k) looks[k].add(cells[k]);
  }
  for (ColumnLook& look : looks) look.finish();
  return out;
}

}  // namespace

std::vector<TableSummary> summarize(const std::string& file, const std::string& hdu) {
  InputTable first(file, hdu);
  std::vector<TableSummary> out{summary_of(first, hdu)};
  for (const OtherTable& other : first.others()) {
    InputTable table(file, other.name);
    out.push_back(summary_of(table, other.name));
  }
  return out;
}

}  // namespace qsohost::cli
