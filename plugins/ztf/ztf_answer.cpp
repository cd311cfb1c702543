#include "ztf_answer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <qsohost/error.hpp>
#include <qsohost/io/text.hpp>

#include <algorithm>
#include <cmath>
#include <tuple>
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
  AnswerReader(std::string_view text, Columns needed) : table_(text) { find_columns(needed); }

  std::vector<Curve> read();

 private:
  // Offsets from the first epoch's position (deg), so that RA may wrap at 0.
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
  void find_columns(Columns needed);
  void refuse(const std::vector<std::string_view>& missing) const;
  void read_row(Epoch& epoch);
  void read_cell(const Used& column, std::string_view cell, Epoch& epoch) const;
  std::uint8_t read_band(std::string_view filter) const;
  void check(const Epoch& epoch) const;
  void add(const Epoch& epoch);
  const Epoch& before() const { return curves_[last_].epochs.back(); }
  void set_positions();
  void sort();

  qsohost::TableReader table_;
  std::vector<Used> columns_;
  std::size_t filter_cell_ = 0;
  std::uint32_t absent_ = 0;  // bits of columns missing in the response
  std::vector<std::string_view> cells_;
  std::vector<std::string_view> cells_before_;
  std::vector<Curve> curves_;
  std::vector<PositionSum> sums_;                        // one per curve
  std::unordered_map<std::int64_t, std::size_t> index_;  // oid to curve
  std::size_t last_ = 0;                                 // the curve of the previous row
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
  if (!missing.empty()) refuse(missing);
}

void AnswerReader::refuse(const std::vector<std::string_view>& missing) const {
  const std::string there = fmt::format("{}", fmt::join(table_.columns(), ", ")).substr(0, 300);
  // None of the columns: not a table of light curves but a message of the archive.
  if (!table_.column("oid") && !table_.column("mjd")) {
    throw qsohost::TryAgain(fmt::format("no ZTF light curves; the answer begins: {}", there));
  }
  throw BadObject(
      fmt::format("the answer has no column {}; there is {}", fmt::join(missing, ", "), there));
}

std::vector<Curve> AnswerReader::read() {
  while (table_.next(cells_)) {
    Epoch epoch;
    read_row(epoch);
    add(epoch);
    std::swap(cells_, cells_before_);
  }
  set_positions();
  sort();
  return std::move(curves_);
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

void AnswerReader::check(const Epoch& epoch) const {
  if (!std::isfinite(epoch.ra) || !std::isfinite(epoch.dec) || std::isinf(epoch.mjd)) {
    throw BadObject(fmt::format("line {}: position ({}, {}) or mjd ({}) is not finite",
                                table_.line(), epoch.ra, epoch.dec, epoch.mjd));
  }
  const std::string misplaced = qsohost::misplaced_time(qsohost::kMjdUtc, epoch.mjd);
  if (misplaced.empty()) return;
  throw BadObject(fmt::format("line {}: column mjd: {}: {}", table_.line(), epoch.mjd, misplaced));
}

void AnswerReader::add(const Epoch& epoch) {
  check(epoch);
  if (curves_.empty() || epoch.oid != before().oid) {
    last_ = index_.try_emplace(epoch.oid, curves_.size()).first->second;
  }
  if (last_ == curves_.size()) {
    sums_.push_back({epoch.ra, epoch.dec});
    curves_.push_back({.oid = epoch.oid,
                       .field = epoch.field,
                       .ccdid = epoch.ccdid,
                       .qid = epoch.qid,
                       .band = epoch.band});
  }
  PositionSum& sum = sums_[last_];
  sum.offset_ra += std::remainder(epoch.ra - sum.first_ra, 360.0);
  sum.offset_dec += epoch.dec - sum.first_dec;
  curves_[last_].epochs.push_back(epoch);
}

void AnswerReader::set_positions() {
  for (std::size_t k = 0; k < curves_.size(); ++k) {
    const auto n = static_cast<double>(curves_[k].epochs.size());
    curves_[k].ra = sums_[k].first_ra + sums_[k].offset_ra / n;
    curves_[k].dec = sums_[k].first_dec + sums_[k].offset_dec / n;
  }
}

// The archive's responses are mostly in this order, but that is not guaranteed.
void AnswerReader::sort() {
  std::ranges::sort(curves_, {}, &Curve::oid);
  const auto key = [](const Epoch& epoch) {  // NaN has no order
    return std::tuple(std::isnan(epoch.mjd), std::isnan(epoch.mjd) ? 0 : epoch.mjd, epoch.expid);
  };
  const auto is_earlier = [&](const Epoch& a, const Epoch& b) { return key(a) < key(b); };
  for (Curve& curve : curves_) {
    if (std::ranges::is_sorted(curve.epochs, is_earlier)) continue;
    std::ranges::stable_sort(curve.epochs, is_earlier);
  }
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
