#include "product_table.hpp"

#include <fmt/format.h>

#include <array>

#include "qsohost/error.hpp"

namespace qsohost::skysim {

const Cells& ProductTable::column(const std::string& name) {
  const auto known = columns_.find(name);
  if (known != columns_.end()) return known->second;
  const auto at = table_.find(name);
  if (!at) throw Error(fmt::format("{}: there is no column '{}'", file_.string(), name));
  return columns_.emplace(name, std::move(table_.read(0, rows(), std::array{*at}).front()))
      .first->second;
}

const Column& ProductTable::scalars(const std::string& name) {
  const Cells& cells = column(name);
  if (cells.lengths.empty() && cells.values.width() == 1) return cells.values;
  throw Error(fmt::format("{}: column '{}' has several values a row, where one is wanted",
                          file_.string(), name));
}

Arrays ProductTable::arrays(const std::string& name) {
  const Cells& cells = column(name);
  if (cells.lengths.size() != rows()) {
    throw Error(
        fmt::format("{}: column '{}' holds no arrays of varying length", file_.string(), name));
  }
  Arrays out;
  std::size_t at = 0;
  for (const std::uint64_t length : cells.lengths) {
    auto& array = out.emplace_back();
    for (std::uint64_t i = 0; i < length; ++i) array.push_back(cells.values.number(at++));
  }
  return out;
}

std::map<std::int64_t, std::size_t> ProductTable::rows_by_id() {
  const auto ids = scalars("source_id").values<std::int64_t>();
  std::map<std::int64_t, std::size_t> out;
  for (std::size_t row = 0; row < ids.size(); ++row) out[ids[row]] = row;
  return out;
}

}  // namespace qsohost::skysim
