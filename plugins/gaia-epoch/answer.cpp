#include "answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <unordered_set>
#include <utility>

#include <qsohost/error.hpp>

namespace gaia {

namespace {

using qsohost::BadObject;
using qsohost::Column;
using qsohost::DType;

// Integers and flags keep their nulls.
template <class T>
void append_integers(const Column& from, std::size_t first, std::size_t count, Column& to) {
  for (std::size_t i = first; i < first + count; ++i) {
    if (from.is_null(i)) {
      to.append_null();
      continue;
    }
    std::int64_t value = 0;
    switch (from.dtype()) {
      case DType::I16:
        value = from.values<std::int16_t>()[i];
        break;
      case DType::I32:
        value = from.values<std::int32_t>()[i];
        break;
      case DType::I64:
        value = from.values<std::int64_t>()[i];
        break;
      default:
        value = from.values<bool>()[i];
    }
    constexpr bool is_flag = std::is_same_v<T, bool>;
    const auto stored = static_cast<qsohost::Stored<T>>(value);
    if (is_flag ? (value != 0 && value != 1) : (static_cast<std::int64_t>(stored) != value)) {
      throw BadObject(fmt::format("column '{}' holds {}, but {}", from.name(), value,
                                  is_flag ? "a flag is 0 or 1" : "16 bits were promised"));
    }
    to.append(static_cast<T>(value));
  }
}

template <class T, class Raw>
void append_floats(const Column& from, std::size_t first, std::size_t count, Column& to) {
  const auto values = from.values<Raw>().subspan(first, count);
  const std::size_t at = to.size();
  to.resize(at + count);
  const auto out = to.values<T>().subspan(at);
  std::copy(values.begin(), values.end(), out.begin());
  if (!from.has_nulls()) return;
  for (std::size_t i = 0; i < count; ++i) {
    if (from.is_null(first + i)) out[i] = std::numeric_limits<T>::quiet_NaN();
  }
}

template <class T>
void append_floats(const Column& from, std::size_t first, std::size_t count, Column& to) {
  if (from.dtype() == DType::F32) return append_floats<T, float>(from, first, count, to);
  append_floats<T, double>(from, first, count, to);
}

void append_values(const Column& from, std::size_t first, std::size_t count, Column& to) {
  switch (to.dtype()) {
    case DType::F32:
      return append_floats<float>(from, first, count, to);
    case DType::F64:
      return append_floats<double>(from, first, count, to);
    case DType::Bool:
      return append_integers<bool>(from, first, count, to);
    case DType::I16:
      return append_integers<std::int16_t>(from, first, count, to);
    default:
      return append_integers<std::int64_t>(from, first, count, to);
  }
}

}  // namespace

Cells::Cells(qsohost::Column from, std::span<const std::uint64_t> lengths)
    : values(std::move(from)) {
  if (lengths.empty()) return;
  offsets.push_back(0);
  for (const std::uint64_t length : lengths) offsets.push_back(offsets.back() + length);
}

EpochWriter::EpochWriter(const std::vector<Wanted>& wanted, std::span<const Block> blocks,
                         qsohost::Batch& batch)
    : wanted_(wanted) {
  for (const Block& block : blocks) {
    for (std::size_t row = 0; row < block.ids.size(); ++row) {
      rows_[block.ids[row]].push_back({&block, row});
    }
  }
  std::map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const Wanted& w = wanted[i];
    if (w.group == kNowhere || w.group.empty()) {
      targets_.push_back(w.group.empty() ? &batch.objects().at(w.table.column) : nullptr);
      continue;
    }
    qsohost::Group& group = batch.group(w.group);
    targets_.push_back(&group.at(w.table.column));
    if (known.try_emplace(w.group, bands_.size()).second) bands_.push_back({&group, {}});
    bands_[known[w.group]].columns.push_back(i);
  }
}

// How many arrays of the band the row lacks: NULL in a database, without elements in a file.
std::size_t EpochWriter::missing_arrays(const Band& band, const Row& row) {
  return static_cast<std::size_t>(std::ranges::count_if(band.columns, [&](std::size_t column) {
    return row.block->cells[column].count(row.row) == 0;
  }));
}

// All arrays of a band have the same length; bands may differ. A band that lacks one is empty.
std::uint64_t EpochWriter::length_of(const Band& band, const Row& row) {
  const Cells* first = nullptr;
  for (const std::size_t column : band.columns) {
    const Cells& cells = row.block->cells[column];
    const std::uint64_t length = cells.count(row.row);
    if (length == 0) continue;
    if (first == nullptr) first = &cells;
    if (length == first->count(row.row)) continue;
    throw BadObject(fmt::format("array {} has {} elements, but {} has {}", first->values.name(),
                                first->count(row.row), cells.values.name(), length));
  }
  return missing_arrays(band, row) > 0 ? 0 : first->count(row.row);
}

std::span<const std::int64_t> EpochWriter::transits(const Row& row) const {
  const Cells& cells = row.block->cells.back();
  return cells.values.values<std::int64_t>().subspan(cells.first(row.row), cells.count(row.row));
}

bool EpochWriter::is_transit_known(const Row& row, std::uint64_t epoch) const {
  const Cells& cells = row.block->cells.back();
  return !cells.values.is_null(cells.first(row.row) + epoch);
}

void EpochWriter::check_for_merge(const Row& row) const {
  const std::size_t transits_there = transits(row).size();
  for (const Band& band : bands_) {
    const std::uint64_t length = length_of(band, row);
    if (length == 0 || length == transits_there) continue;
    throw BadObject(fmt::format(
        "several rows, and in one of them transit_id has {} elements but {} has {}, so that they "
        "cannot be merged",
        transits_there, band.group->name(), length));
  }
}

bool EpochWriter::are_equal(const Band& band, const Row& a, std::uint64_t i, const Row& b,
                            std::uint64_t k) {
  return std::ranges::all_of(band.columns, [&](std::size_t column) {
    const Cells& x = a.block->cells[column];
    const Cells& y = b.block->cells[column];
    const double p = x.values.number(x.first(a.row) + i);
    const double q = y.values.number(y.first(b.row) + k);
    return p == q || (std::isnan(p) && std::isnan(q));
  });
}

// The order of rows does not depend on that in the response.
std::vector<EpochWriter::Row> EpochWriter::in_order(std::vector<Row> rows) const {
  for (const Row& row : rows) check_for_merge(row);
  std::ranges::stable_sort(rows, [&](const Row& a, const Row& b) {
    return std::ranges::lexicographical_compare(transits(a), transits(b));
  });
  return rows;
}

// Every transit of the rows that have this band once.
std::vector<EpochWriter::Piece> EpochWriter::merge(const Band& band,
                                                   std::span<const Row> rows) const {
  std::vector<Piece> pieces;
  std::unordered_map<std::int64_t, std::pair<Row, std::uint64_t>> seen;
  for (const Row& row : rows) {
    const auto ids = transits(row).first(length_of(band, row));
    for (std::uint64_t i = 0; i < ids.size(); ++i) {
      if (is_transit_known(row, i)) {
        const auto [other, is_new] = seen.try_emplace(ids[i], row, i);
        const auto& [other_row, k] = other->second;
        if (!is_new && !are_equal(band, row, i, other_row, k)) {
          throw BadObject(
              fmt::format("{} rows, and transit {} is in two of them with different values",
                          rows.size(), ids[i]));
        }
        if (!is_new) continue;
      }
      pieces.push_back({row, i, 1});
    }
  }
  return pieces;
}

// Of all rows, each once.
std::uint64_t EpochWriter::count_transits(std::span<const Row> rows,
                                          qsohost::Counts& counts) const {
  std::unordered_set<std::int64_t> seen;
  std::int64_t once = 0;
  std::int64_t repeated = 0;
  for (const Row& row : rows) {
    const auto ids = transits(row);
    for (std::uint64_t i = 0; i < ids.size(); ++i) {
      const bool is_new = !is_transit_known(row, i) || seen.insert(ids[i]).second;
      ++(is_new ? once : repeated);
    }
  }
  counts.add("epoch_photometry", "sources of several rows, merged");
  counts.add("epoch_photometry", "transits in several rows, taken once", repeated);
  return static_cast<std::uint64_t>(once);
}

void EpochWriter::append(const Band& band, const Piece& piece) {
  for (const std::size_t column : band.columns) {
    const Cells& cells = piece.row.block->cells[column];
    append_values(cells.values, cells.first(piece.row.row) + piece.first, piece.count,
                  *targets_[column]);
  }
}

// Fills mag_err and epoch_id of the epochs that were appended to the other columns.
void EpochWriter::finish(qsohost::Group& group) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  const auto flux = std::as_const(group).at("flux").values<double>();
  const auto flux_error = std::as_const(group).at("flux_error").values<double>();
  Column& mag_err = group.at("mag_err");
  Column& epoch_id = group.at("epoch_id");
  const std::size_t first = group.epochs();
  for (std::size_t i = first; i < flux.size(); ++i) {
    // Written so that NaN fails.
    mag_err.append(flux[i] > 0 ? qsohost::kMagPerRelativeFlux * flux_error[i] / flux[i] : kNaN);
    epoch_id.append(static_cast<std::int64_t>(i - first));
  }
}

// The host made a cell of zeros for every object. If there are several rows, the first one counts,
// except for the number of transits.
void EpochWriter::set_object_columns(std::span<const Row> rows, std::uint64_t transits,
                                     std::size_t object) {
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    if (!wanted_[i].group.empty()) continue;
    Column& target = *targets_[i];
    Column value(target.info());
    append_values(rows[0].block->cells[i].values, rows[0].row, 1, value);
    if (value.is_null(0)) {
      target.set_null(object);
    } else if (value.dtype() == DType::I64) {
      target.values<std::int64_t>()[object] = value.values<std::int64_t>()[0];
    } else {
      const std::int16_t one_row = value.values<std::int16_t>()[0];
      target.values<std::int16_t>()[object] =
          rows.size() == 1 ? one_row : static_cast<std::int16_t>(transits);
    }
  }
}

void EpochWriter::write(std::int64_t source_id, std::size_t object, Duplicates duplicates,
                        qsohost::Counts& counts) {
  const auto found = rows_.find(source_id);
  if (found == rows_.end()) {
    throw qsohost::NotFound(fmt::format("no row has source_id {}", source_id));
  }
  const std::vector<Row>& rows = found->second;
  if (rows.size() > 1 && duplicates == Duplicates::Error) {
    throw BadObject(fmt::format(
        "{} rows have source_id {}; duplicates = \"merge\" makes one light curve of them",
        rows.size(), source_id));
  }
  const bool is_merging = rows.size() > 1;
  const std::vector<Row> ordered = is_merging ? in_order(rows) : rows;
  for (const Band& band : bands_) {
    if (is_merging) {
      for (const Piece& piece : merge(band, ordered)) append(band, piece);
    } else {
      append(band, {rows[0], 0, length_of(band, rows[0])});
    }
    finish(*band.group);
  }
  set_object_columns(rows, is_merging ? count_transits(ordered, counts) : 0, object);
  count_missing(rows, counts);
}

void EpochWriter::count_missing(std::span<const Row> rows, qsohost::Counts& counts) const {
  for (const Band& band : bands_) {
    const bool lacks_some = std::ranges::any_of(rows, [&](const Row& row) {
      const std::size_t missing = missing_arrays(band, row);
      return missing > 0 && missing < band.columns.size();
    });
    if (lacks_some) counts.add(band.group->name(), "rows left empty, an array is missing");
  }
}

void EpochWriter::set_no_row(std::size_t object) {
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    if (wanted_[i].group.empty()) targets_[i]->set_null(object);
  }
}

}  // namespace gaia
