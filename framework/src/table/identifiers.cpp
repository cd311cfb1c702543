#include "qsohost/io/identifiers.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "qsohost/error.hpp"
#include "qsohost/io/input_columns.hpp"

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

void check_id_type(const ColumnInfo& column, bool is_array, std::string_view file,
                   std::string_view option) {
  const bool is_one = !is_array && column.width == 1;
  if (is_one && column.dtype != DType::Bool && !is_float(column.dtype)) return;
  throw RunError(fmt::format(
      "{}: column '{}' (option '{}') holds {}, but identifiers must be integers or "
      "texts, one a row{}",
      file, column.name, option, is_one ? name_of(column.dtype) : "several values a row",
      is_one && is_float(column.dtype) ? ": a floating-point number cannot hold all digits" : ""));
}

Column id_column(const Column& read) {
  const DType dtype = read.dtype() == DType::String ? DType::String : DType::I64;
  Column ids({"source_id", dtype, "", read.info().description});
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

std::size_t find_id(const FitsTable& table, std::string_view file, std::string_view name,
                    std::string_view option) {
  const std::size_t position = find_column(column_names(table), name, file, option);
  const FitsField& field = table.fields()[position];
  check_id_type(field.info, field.is_array, file, option);
  return position;
}

void for_each_id(FitsTable& table, std::string_view file, std::size_t id,
                 const std::function<void(const Column&, std::uint64_t)>& see) {
  for (std::uint64_t first = 0; first < table.rows(); first += kBlock) {
    const std::uint64_t count = std::min(kBlock, table.rows() - first);
    const Column ids = id_column(table.read(first, count, std::span(&id, 1))[0].values);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (!id_is_missing(ids, i)) continue;
      throw RunError(
          fmt::format("{}: row {}: the identifier is missing; give one or remove the row", file,
                      first + i + 1));
    }
    see(ids, first);
  }
}

IdIndex index_ids(FitsTable& table, std::string_view file, std::size_t id) {
  IdIndex index;
  index.reserve(table.rows());
  for_each_id(table, file, id, [&](const Column& ids, std::uint64_t) { index.add(ids); });
  const auto twice = index.sort();
  if (!twice) return index;
  const Column ids = id_column(table.read(twice->first, 1, std::span(&id, 1))[0].values);
  throw RunError(
      fmt::format("{}: rows {} and {} have the same identifier {}; every object may be there once",
                  file, twice->first + 1, twice->second + 1, id_text(ids, 0)));
}

}  // namespace qsohost::inline io_v1
