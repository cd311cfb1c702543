#include "joined_columns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include <qsohost/error.hpp>
#include <qsohost/io/input_columns.hpp>

namespace catalog_join {

namespace {

using qsohost::Column;
using qsohost::DType;
using qsohost::RunError;

bool is_number(DType dtype) {
  return dtype != DType::String && dtype != DType::Bool;
}

bool is_missing(const Column& column, std::size_t value) {
  if (column.is_null(value)) return true;
  if (column.dtype() == DType::String) return column.strings()[value].empty();
  return column.dtype() != DType::Bool && std::isnan(column.number(value));
}

void make_missing(Column& column, std::size_t value) {
  if (column.dtype() == DType::F64) {
    column.values<double>()[value] = std::numeric_limits<double>::quiet_NaN();
  } else if (column.dtype() == DType::F32) {
    column.values<float>()[value] = std::numeric_limits<float>::quiet_NaN();
  } else {
    column.set_null(value);
  }
}

}  // namespace

JoinedColumns::JoinedColumns(const qsohost::InputTable& table, const Choice& choice,
                             const qsohost::OptionTables<Valid>& valid) {
  qsohost::ObjectNames taken;
  const auto take = [&](std::size_t position, const std::string& name) {
    const qsohost::ColumnInfo& info = table.columns()[position].info;
    taken.add(choice.prefix + name, info.name, table.name());
    columns_.push_back({position, info, choice.null_values});
    columns_.back().info.name = choice.prefix + name;
    positions_.push_back(position);
  };
  if (choice.names == std::vector<std::string>{"all"}) {
    for (std::size_t i = 0; i < table.columns().size(); ++i) {
      if (std::ranges::find(choice.keys, i) != choice.keys.end()) continue;
      const std::string problem = qsohost::column_problem(table.columns()[i]);
      if (problem.empty()) {
        take(i, table.columns()[i].info.name);
      } else {
        left_out_.push_back(fmt::format("{}: column '{}' is left out: {}", table.name(),
                                        table.columns()[i].info.name, problem));
      }
    }
  } else {
    for (const std::string& name : choice.names) {
      const std::size_t position = qsohost::find_column(table, name, "columns");
      const std::string problem = qsohost::column_problem(table.columns()[position]);
      if (!problem.empty()) {
        throw RunError(
            fmt::format("{}: column '{}' cannot be taken: {}", table.name(), name, problem));
      }
      take(position, name);
    }
  }
  for (std::size_t i = 0; i < valid.size(); ++i) add_valid(table, valid[i]);
}

void JoinedColumns::add_valid(const qsohost::InputTable& table, const Valid& valid) {
  for (const std::string& name : *valid.columns) {
    const std::size_t position = qsohost::find_column(table, name, "valid.columns");
    const auto joined = std::ranges::find(columns_, position, &Joined::position);
    if (joined == columns_.end()) {
      throw RunError(
          fmt::format("{}: column '{}' (option 'valid.columns') is not joined: add it to option "
                      "'columns' or remove it here",
                      table.name(), name));
    }
    if (!is_number(joined->info.dtype)) {
      throw RunError(
          fmt::format("{}: column '{}' (option 'valid.columns') holds {}, but only "
                      "numbers can be out of range",
                      table.name(), name, qsohost::name_of(joined->info.dtype)));
    }
    joined->nulls.insert(joined->nulls.end(), valid.null_values->begin(), valid.null_values->end());
    joined->ranges.push_back({*valid.min, *valid.max});
  }
}

std::vector<qsohost::ColumnInfo> JoinedColumns::infos() const {
  std::vector<qsohost::ColumnInfo> out;
  for (const Joined& joined : columns_) out.push_back(joined.info);
  return out;
}

bool JoinedColumns::Joined::is_value(double number) const {
  return std::ranges::find(nulls, number) == nulls.end() &&
         std::ranges::all_of(
             ranges, [number](const Range& r) { return number >= r.min && number <= r.max; });
}

void JoinedColumns::clean(const Joined& joined, Column& values, qsohost::Counts& counts) {
  const bool has_rules =
      is_number(joined.info.dtype) && !(joined.nulls.empty() && joined.ranges.empty());
  std::int64_t missing = 0;
  std::int64_t not_valid = 0;
  for (std::size_t i = 0; i < values.size() * values.width(); ++i) {
    if (is_missing(values, i)) {
      ++missing;
    } else if (has_rules && !joined.is_value(values.number(i))) {
      make_missing(values, i);
      ++not_valid;
    }
  }
  if (missing > 0) counts.add(joined.info.name, "values missing in the catalogue", missing);
  if (has_rules)
    counts.add(joined.info.name, "values that are null_values or not valid", not_valid);
}

void JoinedColumns::put(qsohost::InputTable& table,
                        std::span<const std::optional<std::uint64_t>> rows,
                        qsohost::ColumnSet& objects, qsohost::Counts& counts) const {
  // In the order of the file, so that no block of it is read twice.
  std::vector<std::pair<std::uint64_t, std::size_t>> order;  // row, object
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i]) order.emplace_back(*rows[i], i);
  }
  std::ranges::sort(order);
  std::vector<std::uint64_t> wanted;
  std::vector<std::optional<std::size_t>> place(rows.size());  // of each object's row in `wanted`
  for (const auto& [row, object] : order) {
    place[object] = wanted.size();
    wanted.push_back(row);
  }
  std::vector<qsohost::Cells> cells = table.read(wanted, positions_);
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    clean(columns_[c], cells[c].values, counts);
    Column column(columns_[c].info);
    column.reserve(rows.size());
    for (const auto& from : place) {
      from ? column.append_cells(cells[c].values, *from, 1) : column.append_null();
    }
    objects.at(column.name()) = std::move(column);
  }
}

}  // namespace catalog_join
