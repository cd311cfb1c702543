#include "id_column.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <qsohost/loader.hpp>

namespace curves {

namespace {

using qsohost::ChainError;
using qsohost::Column;
using qsohost::DType;
using qsohost::FitsTable;

constexpr std::uint64_t kBlock = 4096;

std::int64_t key_of(const Column& ids, std::size_t i) {
  if (ids.dtype() == DType::I64) return ids.values<std::int64_t>()[i];
  return static_cast<std::int64_t>(std::hash<std::string_view>{}(ids.strings()[i]));
}

bool is_missing(const Column& ids, std::size_t i) {
  return ids.is_null(i) || (ids.dtype() == DType::String && ids.strings()[i].empty());
}

}  // namespace

std::size_t find_id(const FitsTable& table, const std::string& file, const std::string& name) {
  const auto position = table.find(name);
  if (!position) {
    std::vector<std::string> names;
    for (const qsohost::FitsField& field : table.fields()) names.push_back(field.info.name);
    throw ChainError(fmt::format("{}: there is no column '{}' (option 'id'){}", file, name,
                                 qsohost::did_you_mean(name, names)));
  }
  const qsohost::FitsField& field = table.fields()[*position];
  const DType dtype = field.info.dtype;
  const bool is_good =
      dtype == DType::I16 || dtype == DType::I32 || dtype == DType::I64 || dtype == DType::String;
  if (is_good && !field.is_array && field.info.width == 1) return *position;
  throw ChainError(
      fmt::format("{}: column '{}' (option 'id') holds {}, but identifiers must be integers or "
                  "texts, one a row",
                  file, name, is_good ? "several values a row" : qsohost::name_of(dtype)));
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

void for_each_id(FitsTable& table, const std::string& file, std::size_t id,
                 const std::function<void(const Column&, std::uint64_t)>& see) {
  for (std::uint64_t first = 0; first < table.rows(); first += kBlock) {
    const std::uint64_t count = std::min(kBlock, table.rows() - first);
    const Column ids = id_column(table.read(first, count, std::span(&id, 1))[0].values);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (!is_missing(ids, i)) continue;
      throw ChainError(
          fmt::format("{}: row {}: the identifier is missing; give one or remove the row", file,
                      first + i + 1));
    }
    see(ids, first);
  }
}

IdIndex::IdIndex(FitsTable& table, const std::string& file, std::size_t id) {
  rows_.reserve(table.rows());
  for_each_id(table, file, id, [&](const Column& ids, std::uint64_t first) {
    for (std::size_t i = 0; i < ids.size(); ++i) rows_.emplace_back(key_of(ids, i), first + i);
  });
  std::sort(rows_.begin(), rows_.end());
  const auto twice = std::adjacent_find(
      rows_.begin(), rows_.end(), [](const auto& a, const auto& b) { return a.first == b.first; });
  if (twice == rows_.end()) return;
  const Column ids = id_column(table.read(twice->second, 1, std::span(&id, 1))[0].values);
  throw ChainError(
      fmt::format("{}: rows {} and {} have the same identifier {}; every object may be there once",
                  file, twice->second + 1, (twice + 1)->second + 1, id_text(ids, 0)));
}

std::uint64_t IdIndex::row_of(const Column& ids, std::size_t i) const {
  const std::int64_t key = key_of(ids, i);
  const auto it = std::lower_bound(rows_.begin(), rows_.end(), std::pair{key, std::uint64_t{0}});
  return it == rows_.end() || it->first != key ? kNone : it->second;
}

}  // namespace curves
