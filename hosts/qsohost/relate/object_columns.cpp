#include "relate/object_columns.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>

#include "nan.hpp"
#include "qsohost/error.hpp"
#include "qsohost/io/input_columns.hpp"

namespace qsohost::cli {
namespace {

bool is_number(const InputColumn& column) {
  return column.problem.empty() && !column.is_array && column.info.width == 1 &&
         column.info.dtype != DType::String;
}

std::vector<std::string> number_columns(const Product& product) {
  std::vector<std::string> names;
  for (const InputColumn& c : product.columns) {
    if (is_number(c)) names.push_back(c.info.name);
  }
  return names;
}

// The part of the tables' columns that `fits` accepts, each name once.
template <class Fits>
std::vector<FoundColumn> columns_that(std::span<const ObjectTable> tables, const Fits& fits) {
  std::vector<FoundColumn> found;
  std::set<std::string> names;
  for (std::size_t t = 0; t < tables.size(); ++t) {
    for (const std::string& name : number_columns(tables[t].product)) {
      if (fits(name) && names.insert(name).second) found.push_back({t, name});
    }
  }
  return found;
}

[[noreturn]] void fail_unknown(std::string_view name, std::span<const ObjectTable> tables,
                               std::string_view option) {
  std::vector<std::string> names, files;
  for (const ObjectTable& table : tables) {
    for (const std::string& column : number_columns(table.product)) {
      names.push_back(column);
      // Names without their prefix and in lower case are found, too.
      const std::size_t prefix = column.find('_');
      if (prefix != std::string::npos) names.push_back(lower_case(column.substr(prefix + 1)));
    }
    files.push_back(table.product.file.filename().string());
  }
  throw UsageError(fmt::format(
      "{}: none of {} has a column of numbers '{}'{}; join it in the chain, or name a table that "
      "has it by --catalog",
      option, fmt::join(files, ", "), name, did_you_mean(name, names)));
}

// The rows of each identifier, which a table to be joined asks for once.
class RowsById {
 public:
  explicit RowsById(const std::vector<std::string>& ids) {
    for (std::size_t i = 0; i < ids.size(); ++i) rows_[ids[i]].rows.push_back(i);
  }
  // None if the identifier is unknown or has been asked for before.
  std::span<const std::size_t> take(const std::string& id) {
    if (first_asked_.empty()) first_asked_ = id;
    const auto at = rows_.find(id);
    if (at == rows_.end()) return {};
    if (at->second.is_taken) {
      ++repeated_;
      return {};
    }
    at->second.is_taken = true;
    ++found_;
    return at->second.rows;
  }
  std::size_t size() const { return rows_.size(); }  // identifiers
  std::size_t found() const { return found_; }
  std::size_t repeated() const { return repeated_; }
  const std::string& first_asked() const { return first_asked_; }

 private:
  struct Entry {
    std::vector<std::size_t> rows;
    bool is_taken = false;
  };
  std::unordered_map<std::string_view, Entry> rows_;
  std::size_t found_ = 0, repeated_ = 0;
  std::string first_asked_;
};

}  // namespace

ObjectTable open_table(const std::filesystem::path& file, std::string_view id) {
  const InputTable table(file);
  const std::size_t at = find_column(table, id, "--catalog-id");
  Product product{.file = file, .rows = table.rows(), .columns = table.columns()};
  return {std::move(product), table.column_names()[at]};
}

FoundColumn find_object_column(std::string_view name, std::span<const ObjectTable> tables,
                               std::string_view option) {
  const std::string lower = lower_case(name), ending = "_" + lower;
  auto found = columns_that(tables, [&](const std::string& c) { return c == name; });
  if (found.empty()) {
    found = columns_that(tables, [&](const std::string& c) { return lower_case(c) == lower; });
  }
  if (!found.empty()) return found.front();
  found =
      columns_that(tables, [&](const std::string& c) { return lower_case(c).ends_with(ending); });
  if (found.empty()) fail_unknown(name, tables, option);
  if (found.size() > 1) {
    std::vector<std::string> names;
    for (const FoundColumn& f : found) names.push_back(f.column);
    throw UsageError(fmt::format("{}: '{}' may be {}; write the whole name", option, name,
                                 fmt::join(names, " or ")));
  }
  return found.front();
}

ObjectColumns::ObjectColumns(std::vector<ObjectTable> tables) : tables_(std::move(tables)) {
  std::unordered_map<std::string, std::size_t> seen;
  std::size_t repeated = 0;
  const ObjectTable& own = tables_.front();
  each_block(own.product, std::vector{own.id}, [&](const Rows& rows) {
    for (std::string& id : rows.texts(0)) {
      if (++seen[id] == 2) ++repeated;
      ids_.push_back(std::move(id));
    }
  });
  if (repeated > 0) {
    notes_.push_back(fmt::format(
        "{}: {} identifiers are in several rows, each of which counts as a measurement of one "
        "object",
        own.product.file.filename().string(), repeated));
  }
}

std::vector<std::vector<double>> ObjectColumns::read(std::span<const FoundColumn> columns) {
  std::vector<std::vector<double>> out(columns.size(), std::vector<double>(rows(), kNan));
  read_own(columns, out);
  for (std::size_t table = 1; table < tables_.size(); ++table) join(table, columns, out);
  return out;
}

void ObjectColumns::read_own(std::span<const FoundColumn> columns,
                             std::vector<std::vector<double>>& out) const {
  std::vector<std::string> names;
  std::vector<std::size_t> to;
  for (std::size_t k = 0; k < columns.size(); ++k) {
    if (columns[k].table != 0) continue;
    names.push_back(columns[k].column);
    to.push_back(k);
  }
  if (names.empty()) return;
  each_block(tables_.front().product, names, [&](const Rows& block) {
    for (std::size_t k = 0; k < to.size(); ++k) {
      std::ranges::copy(block.numbers(k),
                        out[to[k]].begin() + static_cast<std::ptrdiff_t>(block.first));
    }
  });
}

void ObjectColumns::join(std::size_t table, std::span<const FoundColumn> columns,
                         std::vector<std::vector<double>>& out) {
  const ObjectTable& other = tables_[table];
  std::vector<std::string> names{other.id};
  std::vector<std::size_t> to;
  for (std::size_t k = 0; k < columns.size(); ++k) {
    if (columns[k].table != table) continue;
    names.push_back(columns[k].column);
    to.push_back(k);
  }
  if (to.empty()) return;
  RowsById rows_of(ids_);
  each_block(other.product, names, [&](const Rows& block) {
    std::vector<std::vector<double>> values;
    for (std::size_t k = 0; k < to.size(); ++k) values.push_back(block.numbers(k + 1));
    const std::vector<std::string> ids = block.texts(0);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      for (const std::size_t row : rows_of.take(ids[i])) {
        for (std::size_t k = 0; k < to.size(); ++k) out[to[k]][row] = values[k][i];
      }
    }
  });
  const std::string file = other.product.file.filename().string();
  if (rows_of.found() == 0 && !ids_.empty()) {
    throw RunError(fmt::format(
        "{}: none of its identifiers ('{}' is the first) is among those of {} ('{}' is the first); "
        "look whether '{}' is the right column of identifiers",
        file, rows_of.first_asked(), tables_.front().product.file.filename().string(), ids_.front(),
        other.id));
  }
  if (rows_of.found() < rows_of.size()) {
    notes_.push_back(
        fmt::format("{}: has no row for {} objects", file, rows_of.size() - rows_of.found()));
  }
  if (rows_of.repeated() > 0) {
    notes_.push_back(fmt::format("{}: {} rows repeat an identifier of an earlier row, which counts",
                                 file, rows_of.repeated()));
  }
}

}  // namespace qsohost::cli
