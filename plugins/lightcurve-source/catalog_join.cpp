#include "catalog_join.hpp"

#include <fmt/format.h>

#include <qsohost/io/text.hpp>

namespace curves {

namespace {

using qsohost::Column;
using qsohost::RunError;

}  // namespace

CatalogJoin::CatalogJoin(const std::filesystem::path& file, const std::string& hdu,
                         const std::string& id, const std::set<std::string>& taken,
                         const Chosen& chosen)
    : name_(file.string()),
      table_(file, hdu),
      id_(qsohost::find_id(table_, id)),
      index_(qsohost::index_ids(table_, id_)) {
  warnings_ = table_.warnings();
  taken_.add("source_id", table_.columns()[id_].info.name, name_);
  chosen ? take(*chosen) : take_all(taken);
  fields_.push_back(id_);
}

std::uint64_t CatalogJoin::row_of(const Column& ids, std::size_t i) const {
  const bool is_text = table_.columns()[id_].info.dtype == qsohost::DType::String;
  if (is_text == (ids.dtype() == qsohost::DType::String)) return index_.row_of(ids, i);
  const std::string text = qsohost::id_text(ids, i);
  if (is_text) {
    Column id({"source_id", qsohost::DType::String, "", ""});
    id.append_string(text);
    return index_.row_of(id, 0);
  }
  // 0012 is not 12.
  const auto number = qsohost::parse_int(text);
  if (!number || std::to_string(*number) != text) return qsohost::IdIndex::kNone;
  Column id({"source_id", qsohost::DType::I64, "", ""});
  id.append(*number);
  return index_.row_of(id, 0);
}

void CatalogJoin::add(std::size_t field, const std::string& name) {
  taken_.add(name, table_.columns()[field].info.name, name_);
  fields_.push_back(field);
  names_.push_back(name);
}

void CatalogJoin::take_all(const std::set<std::string>& taken) {
  for (std::size_t i = 0; i < table_.columns().size(); ++i) {
    const std::string& name = table_.columns()[i].info.name;
    if (i == id_ || taken.contains(qsohost::lower_case(name))) continue;
    const std::string trouble = qsohost::column_problem(table_.columns()[i]);
    if (trouble.empty()) {
      add(i, name);
    } else {
      left_out_.push_back(fmt::format("{}: column '{}' is left out: {}", name_, name, trouble));
    }
  }
}

void CatalogJoin::take(const std::vector<std::string>& chosen) {
  for (const std::string& name : chosen) {
    const std::size_t i = qsohost::find_column(table_, name, "columns");
    if (i == id_) continue;
    const std::string trouble = qsohost::column_problem(table_.columns()[i]);
    if (!trouble.empty()) {
      throw RunError(fmt::format("{}: column '{}' cannot be taken: {}", name_, name, trouble));
    }
    add(i, name);
  }
}

std::vector<qsohost::ColumnInfo> CatalogJoin::columns() const {
  std::vector<qsohost::ColumnInfo> out;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    out.push_back(table_.columns()[fields_[i]].info);
    out.back().name = names_[i];
  }
  return out;
}

std::vector<Column> CatalogJoin::rows_of(const Column& ids) {
  std::vector<Column> out;
  for (qsohost::ColumnInfo& info : columns()) out.emplace_back(std::move(info));
  for (std::size_t i = 0; i < ids.size();) {
    const std::uint64_t row = row_of(ids, i);
    if (row == qsohost::IdIndex::kNone) {
      for (Column& column : out) column.append_null();
      ++i;
      continue;
    }
    // Rows that are consecutive in both are read at once.
    std::size_t end = i + 1;
    while (end < ids.size() && row_of(ids, end) == row + (end - i)) ++end;
    append(ids, i, end - i, out);
    i = end;
  }
  return out;
}

void CatalogJoin::append(const Column& ids, std::size_t first, std::size_t count,
                         std::vector<Column>& out) {
  const auto cells = table_.read(row_of(ids, first), count, fields_);
  const Column found = qsohost::id_column(cells.back().values);
  for (std::size_t i = 0; i < count; ++i) {
    if (qsohost::id_text(found, i) == qsohost::id_text(ids, first + i)) continue;
    throw RunError(fmt::format(
        "{}: identifiers {} and {} cannot be told apart (they have the same hash); rename one",
        name_, qsohost::id_text(found, i), qsohost::id_text(ids, first + i)));
  }
  for (std::size_t c = 0; c < out.size(); ++c) out[c].append_cells(cells[c].values, 0, count);
}

}  // namespace curves
