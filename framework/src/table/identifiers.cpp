#include "qsohost/io/identifiers.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "qsohost/error.hpp"
#include "qsohost/io/input_columns.hpp"
#include "qsohost/names.hpp"

namespace qsohost::inline io_v1 {

namespace {

constexpr std::uint64_t kBlock = 4096;

std::int64_t key_of(const Column& ids, std::size_t i) {
  if (ids.dtype() != DType::String) return ids.values<std::int64_t>()[i];
  return static_cast<std::int64_t>(std::hash<std::string_view>{}(ids.strings()[i]));
}

bool is_float(DType dtype) {
  return dtype == DType::F32 || dtype == DType::F64;
}

}  // namespace

void check_id_type(const InputColumn& column, std::string_view file, std::string_view option) {
  const ColumnInfo& info = column.info;
  const std::string which = fmt::format("{}: column '{}' (option '{}')", file, info.name, option);
  constexpr const char* kNeeded = "but identifiers must be integers or texts, one a row";
  if (!column.problem.empty()) {
    throw RunError(fmt::format("{} cannot be read, {}: {}", which, kNeeded, column.problem));
  }
  if (column.is_array || info.width != 1) {
    throw RunError(fmt::format("{} holds several values a row, {}", which, kNeeded));
  }
  if (info.dtype != DType::Bool && !is_float(info.dtype)) return;
  if (!is_float(info.dtype)) {
    throw RunError(fmt::format("{} holds {}, {}", which, name_of(info.dtype), kNeeded));
  }
  throw RunError(fmt::format(
      "{} holds {}, {}: {}a floating-point number cannot hold all digits; export the identifiers "
      "as integers or as texts",
      which, name_of(info.dtype), kNeeded,
      column.not_integer.empty() ? "" : column.not_integer + "; "));
}

Column id_column(const Column& read) {
  const DType dtype = read.dtype() == DType::String ? DType::String : DType::I64;
  Column ids({"source_id", dtype, "", read.info().description});
  if (dtype == DType::String) {  // blanks around a text are no part of an identifier
    for (std::size_t i = 0; i < read.size(); ++i) {
      read.is_null(i) ? ids.append_null() : ids.append_string(trimmed(read.strings()[i]));
    }
    return ids;
  }
  if (dtype == read.dtype()) {
    ids.append_cells(read, 0, read.size());
    return ids;
  }
  for (std::size_t i = 0; i < read.size(); ++i) {
    if (read.is_null(i)) {
      ids.append_null();
    } else {
      ids.append(static_cast<std::int64_t>(read.number(i)));
    }
  }
  return ids;
}

std::string id_text(const Column& ids, std::size_t i) {
  if (ids.dtype() == DType::String) return std::string(ids.strings()[i]);
  return std::to_string(ids.values<std::int64_t>()[i]);
}

bool id_is_missing(const Column& ids, std::size_t i) {
  return ids.is_null(i) || (ids.dtype() == DType::String && ids.strings()[i].empty());
}

void IdIndex::add(const Column& ids) {
  for (std::size_t i = 0; i < ids.size(); ++i) rows_.emplace_back(key_of(ids, i), rows_.size());
}

std::optional<std::pair<std::uint64_t, std::uint64_t>> IdIndex::sort() {
  std::sort(rows_.begin(), rows_.end());
  const auto twice = std::adjacent_find(
      rows_.begin(), rows_.end(), [](const auto& a, const auto& b) { return a.first == b.first; });
  if (twice == rows_.end()) return std::nullopt;
  return std::pair(twice->second, (twice + 1)->second);
}

std::uint64_t IdIndex::row_of(const Column& ids, std::size_t i) const {
  const std::int64_t key = key_of(ids, i);
  const auto it = std::lower_bound(rows_.begin(), rows_.end(), std::pair{key, std::uint64_t{0}});
  return it == rows_.end() || it->first != key ? kNone : it->second;
}

std::size_t find_id(const InputTable& table, std::string_view name, std::string_view option) {
  const std::size_t position = find_column(table, name, option);
  if (table.rows() > 0) check_id_type(table.columns()[position], table.name(), option);
  return position;
}

void for_each_id(InputTable& table, std::size_t id,
                 const std::function<void(const Column&, std::uint64_t)>& see) {
  for (std::uint64_t first = 0; first < table.rows(); first += kBlock) {
    const std::uint64_t count = std::min(kBlock, table.rows() - first);
    const Column ids = id_column(table.read(first, count, std::span(&id, 1))[0].values);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (!id_is_missing(ids, i)) continue;
      throw RunError(fmt::format("{}: {}: the identifier is missing; give one or remove the row",
                                 table.name(), table.place(first + i)));
    }
    see(ids, first);
  }
}

IdIndex index_ids(InputTable& table, std::size_t id, std::string_view advice) {
  IdIndex index;
  index.reserve(table.rows());
  for_each_id(table, id, [&](const Column& ids, std::uint64_t) { index.add(ids); });
  const auto twice = index.sort();
  if (!twice) return index;
  const Column ids = id_column(table.read(twice->first, 1, std::span(&id, 1))[0].values);
  throw RunError(fmt::format("{}: {} and {} have the same identifier {}; {}", table.name(),
                             table.place(twice->first), table.place(twice->second), id_text(ids, 0),
                             advice));
}

}  // namespace qsohost::inline io_v1
