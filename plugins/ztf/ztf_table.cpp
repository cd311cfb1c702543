#include "ztf_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include <qsohost/error.hpp>
#include <qsohost/io/input_columns.hpp>
#include <qsohost/io/input_table.hpp>
#include <qsohost/io/units.hpp>

#include "curve_collector.hpp"
#include "ztf_columns.hpp"

namespace ztf {

namespace {

using qsohost::BadObject;
using qsohost::Cells;
using qsohost::Column;
using qsohost::DType;
using qsohost::InputTable;

constexpr std::uint64_t kBlock = 4096;

// A response ends in a newline: one that does not was cut, perhaps inside its last number.
void check_end(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  char last = 0;
  if (in.seekg(-1, std::ios::end).get(last) && last == '\n') return;
  throw qsohost::TryAgain(
      fmt::format("{}: the answer ends inside its last line (cut transfer)", file.string()));
}

bool is_text(std::string_view form) {
  return form != "VOTable" && form != "FITS table";
}

bool is_gzipped(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return in.get() == 0x1f && in.get() == 0x8b;
}

// Reads one table of a file.
class TableRows {
 public:
  TableRows(InputTable& table, CurveCollector& curves) : table_(table), curves_(curves) {
    find_columns();
  }
  void read();

 private:
  struct Used {
    const ColumnRule* rule;
    std::uint32_t bit;
  };
  void find_columns();
  void check(std::size_t position, const ColumnRule& rule) const;
  void add_row(const std::vector<Cells>& cells, std::size_t i, std::uint64_t row);
  void read_cell(const Used& column, const Column& values, std::size_t i, std::uint64_t row,
                 Epoch& epoch) const;

  InputTable& table_;
  CurveCollector& curves_;
  std::vector<Used> used_;
  std::vector<std::size_t> positions_;  // of the columns used, then of filtercode
  std::uint32_t absent_ = 0;
};

void TableRows::find_columns() {
  const std::vector<std::string> names = table_.column_names();
  std::vector<std::string_view> missing;
  std::uint32_t bit = 1;
  for (const ColumnRule& rule : column_rules()) {
    const auto found = qsohost::columns_called(names, rule.name);
    if (!found.empty()) {
      check(found[0], rule);
      used_.push_back({&rule, bit});
      positions_.push_back(found[0]);
    } else {
      absent_ |= bit;
      if (rule.is_required) missing.push_back(rule.name);
    }
    bit <<= 1;
  }
  const auto filter = qsohost::columns_called(names, "filtercode");
  if (filter.empty()) missing.emplace_back("filtercode");
  if (!missing.empty()) refuse_columns(names, missing);
  positions_.push_back(filter[0]);
}

void TableRows::check(std::size_t position, const ColumnRule& rule) const {
  const qsohost::InputColumn& column = table_.columns()[position];
  std::string problem = qsohost::column_problem(column);
  if (problem.empty() && column.info.width != 1) problem = "it holds several values a row";
  if (problem.empty() && !qsohost::unit_factor(column.info.unit, std::string(rule.unit))) {
    problem = fmt::format("its unit is '{}', where {} is wanted", column.info.unit, rule.unit);
  }
  if (!problem.empty()) throw BadObject(fmt::format("column {}: {}", rule.name, problem));
}

void TableRows::read() {
  for (std::uint64_t first = 0; first < table_.rows(); first += kBlock) {
    const std::uint64_t count = std::min(kBlock, table_.rows() - first);
    std::vector<Cells> cells = table_.read(first, count, positions_);
    for (std::size_t k = 0; k < used_.size(); ++k) {
      const std::string unit(used_[k].rule->unit);
      if (unit.empty() || cells[k].values.dtype() == DType::String) continue;
      qsohost::convert_unit(cells[k].values, unit, table_.name(), "path");
    }
    for (std::uint64_t i = 0; i < count; ++i) add_row(cells, i, first + i);
  }
}

void TableRows::add_row(const std::vector<Cells>& cells, std::size_t i, std::uint64_t row) {
  const auto fail = [&](const std::string& problem) {
    throw BadObject(fmt::format("{}: {}", table_.place(row), problem));
  };
  Epoch epoch;
  epoch.nulls = absent_;
  for (std::size_t k = 0; k < used_.size(); ++k) {
    read_cell(used_[k], cells[k].values, i, row, epoch);
  }
  const Column& filters = cells.back().values;
  const std::string_view filter =
      filters.dtype() == DType::String ? filters.strings()[i] : std::string_view("a number");
  const auto band = band_of(filter);
  if (!band) fail(wrong_filter(filter));
  epoch.band = *band;
  if (const std::string problem = problem_of(epoch); !problem.empty()) fail(problem);
  curves_.add(epoch);
}

void TableRows::read_cell(const Used& column, const Column& values, std::size_t i,
                          std::uint64_t row, Epoch& epoch) const {
  const bool is_text = values.dtype() == DType::String;
  const bool is_null = values.is_null(i) || (is_text && values.strings()[i].empty());
  if (!is_null && column.rule->take(values, i, epoch)) return;
  if (is_null && !column.rule->is_filled) {
    epoch.nulls |= column.bit;
    return;
  }
  const std::string cell = is_null   ? ""
                           : is_text ? std::string(values.strings()[i])
                                     : fmt::format("{}", values.number(i));
  throw BadObject(fmt::format("{}: {}", table_.place(row), wrong_cell(*column.rule, cell)));
}

InputTable open(const std::filesystem::path& file, const std::string& hdu) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    throw qsohost::TryAgain(fmt::format(
        "{}: there is no such file; the archive has not been asked about this object, or "
        "its answer is elsewhere",
        file.string()));
  }
  try {
    return InputTable(file, hdu);
  } catch (const qsohost::RunError& e) {
    throw qsohost::TryAgain(e.what());
  }
}

// The text of a response in the form that the archive sends: CSV that begins with the column oid.
std::optional<std::string> as_sent(const std::filesystem::path& file) {
  constexpr std::string_view kBegin = "oid,";
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored)) return std::nullopt;
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  std::string text(in ? static_cast<std::size_t>(in.tellg()) : 0, '\0');
  if (text.size() < kBegin.size()) return std::nullopt;
  in.seekg(0).read(text.data(), static_cast<std::streamsize>(kBegin.size()));
  if (!in || !text.starts_with(kBegin)) return std::nullopt;
  in.read(text.data() + kBegin.size(), static_cast<std::streamsize>(text.size() - kBegin.size()));
  if (in) return text;
  throw qsohost::TryAgain(fmt::format("{}: cannot be read to its end", file.string()));
}

// In one pass, by the parser of irsa-ztf; InputTable would look for the types first.
std::vector<Curve> parse_text(const std::filesystem::path& file, std::string_view text) {
  try {
    return parse_answer(text);
  } catch (const BadObject& e) {
    throw BadObject(fmt::format("{}: {}", file.string(), e.what()));
  } catch (const qsohost::TryAgain& e) {
    throw qsohost::TryAgain(fmt::format("{}: {}", file.string(), e.what()));
  }
}

void add_table(InputTable& table, CurveCollector& curves) {
  try {
    TableRows(table, curves).read();
  } catch (const qsohost::RunError& e) {  // damage in the rows
    throw BadObject(e.what());
  } catch (const BadObject& e) {
    throw BadObject(fmt::format("{}: {}", table.name(), e.what()));
  } catch (const qsohost::TryAgain& e) {
    throw qsohost::TryAgain(fmt::format("{}: {}", table.name(), e.what()));
  }
}

}  // namespace

std::vector<Curve> read_answer(const std::filesystem::path& file) {
  if (const auto text = as_sent(file)) return parse_text(file, *text);
  CurveCollector curves;
  InputTable first = open(file, "");
  if (is_text(first.form()) && !is_gzipped(file)) check_end(file);
  add_table(first, curves);
  for (const qsohost::OtherTable& other : first.others()) {
    // Tables of something else may stand beside the light curves.
    if (qsohost::columns_called(other.columns, "oid").empty()) continue;
    InputTable table = open(file, other.name);
    add_table(table, curves);
  }
  return curves.take();
}

}  // namespace ztf
