#include "ztf_answer.hpp"

#include <fmt/format.h>

#include <qsohost/error.hpp>
#include <qsohost/io/text.hpp>

#include <utility>

#include "curve_collector.hpp"
#include "ztf_columns.hpp"

namespace ztf {

namespace {

using qsohost::BadObject;

// Reads rows into epochs. Half of the cells of a row (oid, position, field, quadrant, ...) repeat
// those of the row before, so a cell that is the same text is not parsed again.
class AnswerReader {
 public:
  AnswerReader(std::string_view text, Columns needed) : table_(text) { find_columns(needed); }

  std::vector<Curve> read();

 private:
  struct Used {
    const ColumnRule* rule;
    std::size_t cell;
    std::uint32_t bit;
  };
  void find_columns(Columns needed);
  void read_row(Epoch& epoch);
  void read_cell(const Used& column, std::string_view cell, Epoch& epoch) const;
  std::uint8_t read_band(std::string_view filter) const;
  std::string place() const { return fmt::format("line {}", table_.line()); }
  const Epoch& before() const { return curves_.last(); }

  qsohost::TableReader table_;
  std::vector<Used> columns_;
  std::size_t filter_cell_ = 0;
  std::uint32_t absent_ = 0;  // bits of columns missing in the response
  std::vector<std::string_view> cells_;
  std::vector<std::string_view> cells_before_;
  CurveCollector curves_;
};

void AnswerReader::find_columns(Columns needed) {
  std::vector<std::string_view> missing;
  std::uint32_t bit = 1;
  for (const ColumnRule& rule : column_rules()) {
    if (const auto cell = table_.column(rule.name)) {
      columns_.push_back({&rule, *cell, bit});
    } else {
      absent_ |= bit;
      if (rule.is_required || needed == Columns::All) missing.push_back(rule.name);
    }
    bit <<= 1;
  }
  const auto filter = table_.column("filtercode");
  filter_cell_ = filter.value_or(0);
  if (!filter) missing.push_back("filtercode");
  if (!missing.empty()) refuse_columns(table_.columns(), missing);
}

std::vector<Curve> AnswerReader::read() {
  while (table_.next(cells_)) {
    Epoch epoch;
    read_row(epoch);
    if (const std::string problem = problem_of(epoch); !problem.empty()) {
      throw BadObject(fmt::format("{}: {}", place(), problem));
    }
    curves_.add(epoch);
    std::swap(cells_, cells_before_);
  }
  return curves_.take();
}

void AnswerReader::read_row(Epoch& epoch) {
  const bool is_first = cells_before_.empty();
  epoch.nulls = absent_;
  for (const Used& column : columns_) {
    const std::string_view cell = cells_[column.cell];
    if (is_first || cell != cells_before_[column.cell]) {
      read_cell(column, cell, epoch);
    } else {
      column.rule->copy(before(), epoch);
      epoch.nulls |= before().nulls & column.bit;
    }
  }
  const std::string_view filter = cells_[filter_cell_];
  epoch.band =
      !is_first && filter == cells_before_[filter_cell_] ? before().band : read_band(filter);
}

void AnswerReader::read_cell(const Used& column, std::string_view cell, Epoch& epoch) const {
  if (column.rule->read(cell, epoch)) return;
  if (qsohost::is_missing(cell) && !column.rule->is_filled) {
    epoch.nulls |= column.bit;
    return;
  }
  throw BadObject(fmt::format("{}: {}", place(), wrong_cell(*column.rule, cell)));
}

std::uint8_t AnswerReader::read_band(std::string_view filter) const {
  if (const auto band = band_of(filter)) return *band;
  throw BadObject(fmt::format("{}: {}", place(), wrong_filter(filter)));
}

}  // namespace

std::vector<Curve> parse_answer(std::string_view text, Columns needed) {
  return AnswerReader(text, needed).read();
}

std::map<std::int64_t, std::size_t> rows_by_object(std::string_view votable) {
  qsohost::TableReader table(votable);
  if (table.format() != qsohost::TableFormat::VoTable) {
    throw qsohost::TryAgain("a VOTable was asked for, and the answer is none");
  }
  std::map<std::int64_t, std::size_t> rows;
  for (qsohost::TableRow row(table); row.next();) ++rows[row.integer("oid")];
  return rows;
}

}  // namespace ztf
