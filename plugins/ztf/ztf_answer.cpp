#include "ztf_answer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <qsohost/error.hpp>
#include <qsohost/io/text.hpp>

#include <cmath>
#include <unordered_map>
#include <utility>

#include "ztf_columns.hpp"

namespace ztf {

namespace {

using qsohost::BadObject;

// Reads rows into epochs. Half of the cells of a row (oid, position, field, quadrant, ...) repeat
// those of the row before, so a cell that is the same text is not parsed again.
class AnswerReader {
 public:
  explicit AnswerReader(std::string_view text) : table_(text) { find_columns(); }

  Answer read();

 private:
  // Offsets from the first epoch's position (deg), so that RA may pass through 0.
  struct PositionSum {
    double first_ra = 0;
    double first_dec = 0;
    double offset_ra = 0;
    double offset_dec = 0;
  };
  struct Used {
    const ColumnRule* rule;
    std::size_t cell;
    std::uint32_t bit;
  };
  void find_columns();
  void refuse(const std::vector<std::string_view>& missing) const;
  void read_row(Epoch& epoch);
  void read_cell(const Used& column, std::string_view cell, Epoch& epoch) const;
  std::uint8_t read_band(std::string_view filter) const;
  void assign_source(Epoch& epoch, Answer& answer);
  void set_positions(Answer& answer) const;

  qsohost::TableReader table_;
  std::vector<Used> columns_;
  std::size_t filter_cell_ = 0;
  std::uint32_t absent_ = 0;  // bits of columns that the answer does not have
  std::vector<std::string_view> cells_;
  std::vector<std::string_view> cells_before_;
  Epoch before_;
  std::vector<PositionSum> sums_;                          // one a source
  std::unordered_map<std::int64_t, std::uint32_t> index_;  // oid to source
};

void AnswerReader::find_columns() {
  std::vector<std::string_view> missing;
  std::uint32_t bit = 1;
  for (const ColumnRule& rule : column_rules()) {
    if (const auto cell = table_.column(rule.name)) {
      columns_.push_back({&rule, *cell, bit});
    } else {
      absent_ |= bit;
      if (rule.is_required) missing.push_back(rule.name);
    }
    bit <<= 1;
  }
  const auto filter = table_.column("filtercode");
  filter_cell_ = filter.value_or(0);
  if (!filter) missing.push_back("filtercode");
  if (!missing.empty()) refuse(missing);
}

void AnswerReader::refuse(const std::vector<std::string_view>& missing) const {
  const std::string there = fmt::format("{}", fmt::join(table_.columns(), ", ")).substr(0, 300);
  // Not one of the columns: not a table of light curves but something the archive says.
  if (!table_.column("oid") && !table_.column("mjd")) {
    throw qsohost::TryAgain(fmt::format("no ZTF light curves; the answer begins: {}", there));
  }
  throw BadObject(
      fmt::format("the answer has no column {}; there is {}", fmt::join(missing, ", "), there));
}

Answer AnswerReader::read() {
  Answer answer;
  answer.has_quadrants = table_.column("field") && table_.column("ccdid") && table_.column("qid");
  answer.has_all = absent_ == 0;
  while (table_.next(cells_)) {
    Epoch& epoch = answer.epochs.emplace_back();
    epoch.epoch_id = static_cast<std::int64_t>(answer.epochs.size()) - 1;
    read_row(epoch);
    assign_source(epoch, answer);
    before_ = epoch;
    std::swap(cells_, cells_before_);
  }
  set_positions(answer);
  return answer;
}

void AnswerReader::read_row(Epoch& epoch) {
  const bool is_first = cells_before_.empty();
  epoch.nulls = absent_;
  for (const Used& column : columns_) {
    const std::string_view cell = cells_[column.cell];
    if (is_first || cell != cells_before_[column.cell]) {
      read_cell(column, cell, epoch);
    } else {
      column.rule->copy(before_, epoch);
      epoch.nulls |= before_.nulls & column.bit;
    }
  }
  const std::string_view filter = cells_[filter_cell_];
  epoch.band =
      !is_first && filter == cells_before_[filter_cell_] ? before_.band : read_band(filter);
}

void AnswerReader::read_cell(const Used& column, std::string_view cell, Epoch& epoch) const {
  if (column.rule->read(cell, epoch)) return;
  if (qsohost::is_missing(cell) && !column.rule->is_required) {
    epoch.nulls |= column.bit;
    return;
  }
  throw BadObject(fmt::format("line {}: column {}: '{}' is not a number of type {}", table_.line(),
                              column.rule->name, cell, name_of(column.rule->dtype)));
}

std::uint8_t AnswerReader::read_band(std::string_view filter) const {
  for (std::size_t band = 0; band < kBands.size(); ++band) {
    if (filter.size() == 2 && filter[0] == 'z' && filter[1] == kBands[band][0]) {
      return static_cast<std::uint8_t>(band);
    }
  }
  throw BadObject(
      fmt::format("line {}: column filtercode: '{}' is none of zg, zr, zi", table_.line(), filter));
}

void AnswerReader::assign_source(Epoch& epoch, Answer& answer) {
  if (!std::isfinite(epoch.ra) || !std::isfinite(epoch.dec)) {
    throw BadObject(fmt::format("line {}: the position ({}, {}) is not finite", table_.line(),
                                epoch.ra, epoch.dec));
  }
  const bool is_same = !sums_.empty() && epoch.oid == before_.oid;
  epoch.source =
      is_same
          ? before_.source
          : index_.try_emplace(epoch.oid, static_cast<std::uint32_t>(sums_.size())).first->second;
  if (epoch.source == sums_.size()) {
    sums_.push_back({epoch.ra, epoch.dec});
    answer.sources.push_back({.oid = epoch.oid,
                              .field = epoch.field,
                              .ccdid = epoch.ccdid,
                              .qid = epoch.qid,
                              .band = epoch.band});
  }
  PositionSum& sum = sums_[epoch.source];
  sum.offset_ra += std::remainder(epoch.ra - sum.first_ra, 360.0);
  sum.offset_dec += epoch.dec - sum.first_dec;
  ++answer.sources[epoch.source].epochs;
}

void AnswerReader::set_positions(Answer& answer) const {
  for (std::size_t k = 0; k < sums_.size(); ++k) {
    const auto n = static_cast<double>(answer.sources[k].epochs);
    answer.sources[k].ra = sums_[k].first_ra + sums_[k].offset_ra / n;
    answer.sources[k].dec = sums_[k].first_dec + sums_[k].offset_dec / n;
  }
}

}  // namespace

Answer parse_answer(std::string_view text) {
  return AnswerReader(text).read();
}

}  // namespace ztf
