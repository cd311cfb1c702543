#include "epoch_rows.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include <qsohost/error.hpp>
#include <qsohost/io/text.hpp>
#include <qsohost/names.hpp>

#include "bands.hpp"
#include "column_roles.hpp"

namespace gaia {

namespace {

using qsohost::BadObject;
using qsohost::Column;
using qsohost::DType;

using Elements = std::vector<std::string_view>;
using Row = std::vector<std::string>;

std::optional<std::size_t> band_called(std::string_view name) {
  const std::string lower = qsohost::lower_case(name);
  const auto found = std::ranges::find(kBands, lower);
  if (found == kBands.end()) return std::nullopt;
  return static_cast<std::size_t>(found - kBands.begin());
}

// Where the elements of a wanted column come from.
struct Feed {
  std::optional<std::size_t> position{};  // none: nulls
  int bit = -1;                           // of that column's integers, if it holds flags
  std::size_t band = 0;
  bool is_array = true;
};

// A slot is a transit: the rows of G, BP and RP, all the same one where bands are side by side.
using Slot = std::array<const Row*, kBands.size()>;

class Rows {
 public:
  Rows(const TextTable& table, const std::vector<Wanted>& wanted);
  Block block();

 private:
  std::int64_t id_of(const Row& row) const;
  Feed feed_of(const TableColumn& column) const;
  Feed long_feed_of(const TableColumn& column) const;
  bool has_arrays() const;
  void add_arrays(const Row& row);
  void add_transits(std::int64_t id, std::vector<Slot> slots);
  std::string_view element_of(const Slot& slot, std::size_t column) const;
  std::vector<Slot> slots_of(const std::vector<const Row*>& rows) const;
  void sort_by_time(std::vector<Slot>& slots) const;
  void add_source(std::int64_t id, std::vector<Elements> elements);
  static void append(Column& to, std::string_view text, int bit);

  const TextTable& table_;
  const std::vector<Wanted>& wanted_;
  std::optional<std::size_t> id_;
  std::optional<std::size_t> band_;  // in the long form
  std::optional<std::size_t> transit_id_;
  std::vector<Feed> feeds_;  // one for each wanted column
  std::vector<Column> columns_;
  std::vector<std::vector<std::uint64_t>> lengths_;
  std::vector<std::int64_t> ids_;
};

std::optional<std::size_t> position(const TextTable& table, std::string_view name) {
  const std::array<std::string_view, 1> names{name};
  return position_of(names, table.columns);
}

Rows::Rows(const TextTable& table, const std::vector<Wanted>& wanted)
    : table_(table),
      wanted_(wanted),
      id_(position_of(kIdNames, table.columns)),
      band_(position(table, "band")),
      transit_id_(position(table, "transit_id")) {
  if (!id_ && !table.keywords.contains("source_id")) {
    throw BadObject(
        fmt::format("no column source_id; there are {}", fmt::join(table.columns, ", ")));
  }
  std::vector<std::string> missing;
  for (const Wanted& w : wanted) {
    feeds_.push_back(band_ ? long_feed_of(w.table) : feed_of(w.table));
    if (!feeds_.back().position && is_measured(w.table)) missing.push_back(w.table.name);
    columns_.emplace_back(qsohost::ColumnInfo{w.table.name, w.table.dtype, w.table.unit, ""});
  }
  lengths_.resize(wanted.size());
  if (missing.empty()) return;
  throw BadObject(fmt::format("no column for {}; there are {}", fmt::join(missing, ", "),
                              fmt::join(table.columns, ", ")));
}

Feed Rows::feed_of(const TableColumn& column) const {
  Feed feed{.position = position_of(role_called(column.name), table_.columns)};
  feed.is_array = column.is_array;
  feed.band = band_of_group(column.group);
  if (const auto flag = flag_bit(column.name); flag && !feed.position) {
    feed.position = position(table_, flag->column);
    feed.bit = flag->bit;
  }
  return feed;
}

// The long form names its columns without the band.
Feed Rows::long_feed_of(const TableColumn& column) const {
  Feed feed{.is_array = column.is_array};
  feed.band = band_of_group(column.group);
  if (const auto flag = flag_bit(column.name)) {
    feed.position = position(table_, "other_flags");
    feed.bit = flag->bit;
  } else if (column.dtype == DType::Bool) {
    feed.position = position(table_, "rejected_by_variability");
  } else {
    feed.position = position(table_, column.column);
  }
  return feed;
}

std::int64_t Rows::id_of(const Row& row) const {
  const std::string& text = id_ ? row[*id_] : table_.keywords.at("source_id");
  if (const auto id = qsohost::parse_int(text)) return *id;
  throw BadObject(fmt::format("source_id is '{}', which must be an integer", text));
}

bool Rows::has_arrays() const {
  return std::ranges::any_of(table_.rows, [&](const Row& row) {
    return std::ranges::any_of(feeds_, [&](const Feed& feed) {
      return feed.position && row[*feed.position].starts_with('[');
    });
  });
}

// "[1.5, NaN, null]"
Elements elements_of(std::string_view cell) {
  Elements out;
  if (cell.starts_with('[') && cell.ends_with(']')) cell = cell.substr(1, cell.size() - 2);
  while (!cell.empty()) {
    const std::size_t end = std::min(cell.find(','), cell.size());
    std::string_view element = cell.substr(0, end);
    while (element.starts_with(' ')) element.remove_prefix(1);
    while (element.ends_with(' ')) element.remove_suffix(1);
    out.push_back(element);
    cell.remove_prefix(std::min(end + 1, cell.size()));
  }
  if (out.size() == 1 && out[0].empty()) out.clear();
  return out;
}

void Rows::add_arrays(const Row& row) {
  std::vector<Elements> elements;
  for (const Feed& feed : feeds_) {
    if (!feed.position) {
      elements.emplace_back();
    } else if (feed.is_array) {
      elements.push_back(elements_of(row[*feed.position]));
    } else {
      elements.push_back({row[*feed.position]});
    }
  }
  add_source(id_of(row), std::move(elements));
}

// The transits of a source in the order of their first rows.
std::vector<Slot> Rows::slots_of(const std::vector<const Row*>& rows) const {
  std::vector<Slot> slots;
  std::map<std::string_view, std::size_t> places;
  for (const Row* row : rows) {
    if (!band_) {
      slots.push_back({row, row, row});
      continue;
    }
    const auto band = band_called((*row)[*band_]);
    if (!band || !transit_id_)
      throw BadObject(
          fmt::format("band '{}' must be G, BP or RP, and have a transit_id", (*row)[*band_]));
    const auto [place, is_new] = places.try_emplace((*row)[*transit_id_], slots.size());
    if (is_new) slots.push_back({});
    slots[place->second][*band] = row;
  }
  return slots;
}

void Rows::sort_by_time(std::vector<Slot>& slots) const {
  const auto time = std::ranges::find_if(
      wanted_, [](const Wanted& w) { return w.table.name == "g_transit_time"; });
  const Feed& feed = feeds_[static_cast<std::size_t>(time - wanted_.begin())];
  const auto key = [&](const Slot& slot) {
    const double value = qsohost::parse_double((*slot[0])[*feed.position]).value_or(NAN);
    return std::isnan(value) ? std::numeric_limits<double>::infinity() : value;
  };
  std::ranges::stable_sort(slots, {}, key);
}

void Rows::add_transits(std::int64_t id, std::vector<Slot> slots) {
  if (!transit_id_) sort_by_time(slots);
  const std::string count = fmt::format("{}", slots.size());
  std::vector<Elements> elements(feeds_.size());
  for (std::size_t i = 0; i < feeds_.size(); ++i) {
    if (wanted_[i].table.name == "n_transits") {
      elements[i] = {count};
    } else if (feeds_[i].position) {
      for (const Slot& slot : slots) elements[i].push_back(element_of(slot, i));
      if (!feeds_[i].is_array) elements[i].resize(1);
    }
  }
  add_source(id, std::move(elements));
}

// "" if the transit has no row of that band.
std::string_view Rows::element_of(const Slot& slot, std::size_t column) const {
  const Feed& feed = feeds_[column];
  const Row* row = slot[feed.band];
  const bool is_of_all_bands = !feed.is_array || wanted_[column].table.column == "transit_id";
  if (is_of_all_bands) {
    row = *std::ranges::find_if(slot, [](const Row* r) { return r != nullptr; });
  }
  return row == nullptr ? std::string_view() : std::string_view((*row)[*feed.position]);
}

// Columns that the table lacks get as many nulls as their band has epochs.
void Rows::add_source(std::int64_t id, std::vector<Elements> elements) {
  std::array<std::size_t, kBands.size()> counts{};
  for (std::size_t i = 0; i < feeds_.size(); ++i) {
    if (is_measured(wanted_[i].table)) counts[feeds_[i].band] = elements[i].size();
  }
  for (std::size_t i = 0; i < feeds_.size(); ++i) {
    const Feed& feed = feeds_[i];
    if (!feed.position && elements[i].empty()) {
      elements[i].resize(feed.is_array ? counts[feed.band] : 1);
    }
    for (const std::string_view text : elements[i]) append(columns_[i], text, feed.bit);
    lengths_[i].push_back(elements[i].size());
  }
  ids_.push_back(id);
}

template <class T>
void append_integer(Column& to, std::string_view text) {
  const auto value = qsohost::parse_int(text);
  if (!value || static_cast<std::int64_t>(static_cast<T>(*value)) != *value) {
    throw BadObject(fmt::format("column '{}' holds '{}', which must be an integer of its type",
                                to.name(), text));
  }
  to.append(static_cast<T>(*value));
}

void append_flag(Column& to, std::string_view text, int bit) {
  if (bit >= 0) {
    const auto value = qsohost::parse_int(text);
    if (!value)
      throw BadObject(
          fmt::format("column of '{}' holds '{}', which must be an integer", to.name(), text));
    to.append((*value >> bit & 1) != 0);
    return;
  }
  to.append(*parse_flag(text));
}

void Rows::append(Column& to, std::string_view text, int bit) {
  if (qsohost::is_missing(text)) return to.append_null();
  switch (to.dtype()) {
    case DType::Bool:
      return append_flag(to, text, bit);
    case DType::I16:
      return append_integer<std::int16_t>(to, text);
    case DType::I64:
      return append_integer<std::int64_t>(to, text);
    default:
      break;
  }
  const auto value = qsohost::parse_double(text);
  if (!value)
    throw BadObject(fmt::format("column '{}' holds '{}', which must be a number", to.name(), text));
  if (to.dtype() == DType::F64) return to.append(*value);
  to.append(qsohost::parse_float(text).value_or(std::numeric_limits<float>::quiet_NaN()));
}

Block Rows::block() {
  if (has_arrays()) {
    for (const Row& row : table_.rows) add_arrays(row);
  } else {
    std::map<std::int64_t, std::vector<const Row*>> sources;
    for (const Row& row : table_.rows) sources[id_of(row)].push_back(&row);
    for (const auto& [id, rows] : sources) add_transits(id, slots_of(rows));
  }
  Block block{std::move(ids_), {}};
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    block.cells.emplace_back(std::move(columns_[i]),
                             feeds_[i].is_array ? std::span<const std::uint64_t>(lengths_[i])
                                                : std::span<const std::uint64_t>());
  }
  return block;
}

}  // namespace

std::optional<bool> parse_flag(std::string_view text) {
  if (qsohost::is_missing(text)) return std::nullopt;
  const std::string word = qsohost::lower_case(text);
  if (word == "true" || word == "t" || word == "1") return true;
  if (word == "false" || word == "f" || word == "0") return false;
  throw BadObject(fmt::format("'{}' is no flag, which must be true or false", text));
}

Block to_block(const TextTable& table, const std::vector<Wanted>& wanted) {
  return Rows(table, wanted).block();
}

}  // namespace gaia
