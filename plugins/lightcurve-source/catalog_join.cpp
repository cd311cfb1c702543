#include "catalog_join.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace curves {

namespace {

using qsohost::ChainError;
using qsohost::Column;

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

CatalogJoin::CatalogJoin(const std::filesystem::path& file, const std::string& hdu,
                         const std::string& id, const std::set<std::string>& taken)
    : name_(file.string()),
      table_(file, hdu),
      id_(qsohost::find_id(table_, name_, id)),
      index_(qsohost::index_ids(table_, name_, id_)) {
  std::set<std::string> names = taken;
  for (std::size_t i = 0; i < table_.fields().size(); ++i) {
    const qsohost::FitsField& field = table_.fields()[i];
    if (i == id_ || !names.insert(lower(field.info.name)).second) continue;
    if (field.is_array || !field.trouble.empty()) {
      left_out_.push_back(
          fmt::format("{}: column '{}' is left out: {}", name_, field.info.name,
                      field.is_array ? "it holds arrays of varying length" : field.trouble));
      continue;
    }
    fields_.push_back(i);
  }
  fields_.push_back(id_);
}

std::vector<qsohost::ColumnInfo> CatalogJoin::columns() const {
  std::vector<qsohost::ColumnInfo> out;
  for (std::size_t i = 0; i + 1 < fields_.size(); ++i) {
    out.push_back(table_.fields()[fields_[i]].info);
  }
  return out;
}

std::vector<Column> CatalogJoin::rows_of(const Column& ids) {
  std::vector<Column> out;
  for (qsohost::ColumnInfo& info : columns()) out.emplace_back(std::move(info));
  for (std::size_t i = 0; i < ids.size();) {
    const std::uint64_t row = index_.row_of(ids, i);
    if (row == qsohost::IdIndex::kNone) {
      for (Column& column : out) column.append_null();
      ++i;
      continue;
    }
    // Rows that follow one another in both are read at once.
    std::size_t end = i + 1;
    while (end < ids.size() && index_.row_of(ids, end) == row + (end - i)) ++end;
    append(ids, i, end - i, out);
    i = end;
  }
  return out;
}

void CatalogJoin::append(const Column& ids, std::size_t first, std::size_t count,
                         std::vector<Column>& out) {
  const auto cells = table_.read(index_.row_of(ids, first), count, fields_);
  const Column found = qsohost::id_column(cells.back().values);
  for (std::size_t i = 0; i < count; ++i) {
    if (qsohost::id_text(found, i) == qsohost::id_text(ids, first + i)) continue;
    throw ChainError(fmt::format(
        "{}: identifiers {} and {} cannot be told apart (they have the same hash); rename one",
        name_, qsohost::id_text(found, i), qsohost::id_text(ids, first + i)));
  }
  for (std::size_t c = 0; c < out.size(); ++c) out[c].append_cells(cells[c].values, 0, count);
}

}  // namespace curves
