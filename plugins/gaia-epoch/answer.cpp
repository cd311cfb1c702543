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
                                  is_flag ? "a flag must be 0 or 1" : "must fit into 16 bits"));
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
    throw BadObject(fmt::format("array {} has {} elements, but {} has {}; they must have as many",
                                first->values.name(), first->count(row.row), cells.values.name(),
                                length));
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

// To leave out a transit, its place in every array must be known.
void EpochWriter::check_lengths(const Row& row) const {
  const std::size_t transits_there = transits(row).size();
  for (const Band& band : bands_) {
    const std::uint64_t length = length_of(band, row);
    if (length == 0 || length == transits_there) continue;
    throw BadObject(fmt::format(
        "transits are there more than once, and transit_id has {} elements but {} has {}, so that "
        "they cannot be dropped; set duplicates = \"keep\" to take all",
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

// By their transits, for the order of a response is not defined.
std::vector<EpochWriter::Row> EpochWriter::in_order(std::vector<Row> rows) const {
  if (rows.size() < 2) return rows;
  std::ranges::stable_sort(rows, [&](const Row& a, const Row& b) {
    return std::ranges::lexicographical_compare(transits(a), transits(b));
  });
  return rows;
}

std::size_t EpochWriter::count_transits(std::span<const Row> rows) const {
  std::size_t n = 0;
  for (const Row& row : rows) n += transits(row).size();
  return n;
}

std::size_t EpochWriter::count_repeats(std::span<const Row> rows) const {
  std::unordered_set<std::int64_t> seen;
  std::size_t n = 0;
  for (const Row& row : rows) {
    const auto ids = transits(row);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (is_transit_known(row, i) && !seen.insert(ids[i]).second) ++n;
    }
  }
  return n;
}

// The epochs of a band, each transit once. Those left out whose values differ from the epoch that
// is kept are added to `conflicting`.
std::vector<EpochWriter::Piece> EpochWriter::every_transit_once(const Band& band,
                                                                std::span<const Row> rows,
                                                                Conflicts& conflicting) const {
  std::vector<Piece> pieces;
  std::unordered_map<std::int64_t, Piece> seen;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const Row& row = rows[r];
    const auto ids = transits(row).first(length_of(band, row));
    for (std::uint64_t i = 0; i < ids.size(); ++i) {
      const Piece piece{row, i, 1};
      const auto [other, is_new] =
          is_transit_known(row, i) ? seen.try_emplace(ids[i], piece) : std::pair(seen.end(), true);
      if (is_new) {
        pieces.push_back(piece);
        continue;
      }
      const Piece& first = other->second;
      if (are_equal(band, row, i, first.row, first.first)) continue;
      if (first.row.block != row.block || first.row.row != row.row) {  // of two rows none is first
        throw BadObject(fmt::format(
            "{} rows, and transit {} is in two of them with different values; it must be in one",
            rows.size(), ids[i]));
      }
      conflicting.insert({r, i});
    }
  }
  return pieces;
}

// Returns the number of transits left.
std::size_t EpochWriter::write_once(std::span<const Row> rows, std::size_t repeats,
                                    qsohost::Counts& counts) {
  for (const Row& row : rows) check_lengths(row);
  Conflicts conflicting;
  for (const Band& band : bands_) {
    for (const Piece& piece : every_transit_once(band, rows, conflicting)) append(band, piece);
  }
  counts.add("epoch_photometry", "transits repeated",
             static_cast<std::int64_t>(repeats - conflicting.size()));
  counts.add("epoch_photometry", "transits repeated with other values",
             static_cast<std::int64_t>(conflicting.size()));
  return count_transits(rows) - repeats;
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

// The host made a cell of zeros for every object. `transits`: their number, where it is not the
// row's.
void EpochWriter::set_object_columns(const Row& row, std::optional<std::size_t> transits,
                                     std::size_t object) {
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    if (!wanted_[i].group.empty()) continue;
    Column& target = *targets_[i];
    Column value(target.info());
    append_values(row.block->cells[i].values, row.row, 1, value);
    if (value.is_null(0)) {
      target.set_null(object);
    } else if (value.dtype() == DType::I64) {
      target.values<std::int64_t>()[object] = value.values<std::int64_t>()[0];
    } else {
      target.values<std::int16_t>()[object] =
          transits ? static_cast<std::int16_t>(*transits) : value.values<std::int16_t>()[0];
    }
  }
}

void EpochWriter::write(std::int64_t source_id, std::size_t object, Duplicates duplicates,
                        qsohost::Counts& counts) {
  const auto found = rows_.find(source_id);
  if (found == rows_.end()) {
    throw qsohost::NotFound(fmt::format("no row has source_id {}", source_id));
  }
  if (found->second.size() > 1 && duplicates == Duplicates::Error) {
    throw BadObject(fmt::format(
        "{} rows have source_id {}; set duplicates = \"drop\" to make one light curve of them",
        found->second.size(), source_id));
  }
  const std::vector<Row> rows = in_order(found->second);
  if (rows.size() > 1) counts.add("epoch_photometry", "sources of several rows, merged");
  const std::size_t repeats = duplicates == Duplicates::Drop ? count_repeats(rows) : 0;
  std::optional<std::size_t> n_transits;
  if (repeats > 0) {
    n_transits = write_once(rows, repeats, counts);
  } else {
    for (const Band& band : bands_) {
      for (const Row& row : rows) append(band, {row, 0, length_of(band, row)});
    }
    if (rows.size() > 1) n_transits = count_transits(rows);
  }
  for (const Band& band : bands_) finish(*band.group);
  set_object_columns(rows[0], n_transits, object);
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
