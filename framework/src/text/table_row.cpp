#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>

#include "qsohost/error.hpp"
#include "qsohost/io/text.hpp"

namespace qsohost::inline io_v1 {

namespace {

[[noreturn]] void no_number(const TableReader& table, std::string_view column,
                            std::string_view cell, std::string_view kind) {
  throw BadObject(fmt::format("line {}, column {}: '{}' is no {}, which is expected there",
                              table.line(), column, cell, kind));
}

}  // namespace

std::string_view TableRow::text(std::string_view column) const {
  const std::optional<std::size_t> at = table_->column(column);
  if (at) return cells_.at(*at);
  throw TryAgain(fmt::format("the answer has no column '{}'; there is {}", column,
                             fmt::join(table_->columns(), ", ")));
}

double TableRow::number(std::string_view column) const {
  const std::string_view cell = text(column);
  if (is_missing(cell)) return std::numeric_limits<double>::quiet_NaN();
  const std::optional<double> value = parse_double(cell);
  if (!value) no_number(*table_, column, cell, "number");
  return *value;
}

std::int64_t TableRow::integer(std::string_view column) const {
  const std::string_view cell = text(column);
  const std::optional<std::int64_t> value = parse_int(cell);
  if (!value) no_number(*table_, column, cell, "integer");
  return *value;
}

}  // namespace qsohost::inline io_v1
