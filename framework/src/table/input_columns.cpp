#include "qsohost/io/input_columns.hpp"

#include <fmt/format.h>

#include "qsohost/error.hpp"
#include "qsohost/io/units.hpp"
#include "qsohost/names.hpp"

namespace qsohost::inline io_v1 {

std::vector<std::size_t> columns_called(std::span<const std::string> columns,
                                        std::string_view name) {
  std::vector<std::size_t> exact;
  std::vector<std::size_t> alike;
  const std::string lowered = lower_case(name);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i] == name) exact.push_back(i);
    if (lower_case(columns[i]) == lowered) alike.push_back(i);
  }
  return exact.empty() ? alike : exact;
}

std::size_t find_column(std::span<const std::string> columns, std::string_view name,
                        std::string_view file, std::string_view option) {
  const std::vector<std::size_t> found = columns_called(columns, name);
  if (found.size() == 1) return found[0];
  const std::string which = fmt::format("'{}' (option '{}')", name, option);
  if (found.empty()) {
    const std::vector<std::string> names(columns.begin(), columns.end());
    throw RunError(
        fmt::format("{}: there is no column {}{}", file, which, did_you_mean(name, names)));
  }
  if (columns[found[0]] == name) {
    throw RunError(fmt::format("{}: column {} is there {} times; rename all but one in the file",
                               file, which, found.size()));
  }
  throw RunError(fmt::format("{}: column {} could be '{}' or '{}'; spell it exactly", file, which,
                             columns[found[0]], columns[found[1]]));
}

std::size_t find_column(const InputTable& table, std::string_view name, std::string_view option) {
  const std::vector<std::string> names = table.column_names();
  if (columns_called(names, name).empty()) {
    for (const OtherTable& other : table.others()) {
      if (columns_called(other.columns, name).empty()) continue;
      throw RunError(
          fmt::format("{}: its first table has no column '{}' (option '{}'), but table '{}' has; "
                      "set hdu = \"{}\"",
                      table.name(), name, option, other.name, other.name));
    }
  }
  return find_column(names, name, table.name(), option);
}

std::string column_problem(const InputColumn& column) {
  if (!column.problem.empty()) return column.problem;
  return column.is_array ? "it holds arrays of varying length" : "";
}

void ObjectNames::add(std::string_view name, std::string_view column, std::string_view file) {
  std::string origin = fmt::format("column '{}' of {}", column, file);
  const auto [it, is_new] = origins_.emplace(lower_case(name), origin);
  if (is_new) return;
  throw RunError(
      fmt::format("two columns would be called '{}' (case does not count in FITS files): {} and "
                  "{}; {}",
                  name, it->second, origin, advice_));
}

std::optional<double> degrees_in(std::string_view unit) {
  return unit_factor(unit, "deg");
}

void check_position_column(const InputColumn& column, std::string_view file,
                           std::string_view option) {
  const ColumnInfo& info = column.info;
  const std::string which = fmt::format("{}: column '{}' (option '{}')", file, info.name, option);
  std::string reason = column_problem(column);
  if (reason.empty() && info.width != 1) reason = "it holds several values a row";
  if (reason.empty() && (info.dtype == DType::String || info.dtype == DType::Bool)) {
    reason = column.not_number.empty() ? fmt::format("it holds {}", name_of(info.dtype))
                                       : column.not_number;
  }
  if (!reason.empty()) {
    throw RunError(
        fmt::format("{} cannot be taken, for positions must be numbers, one a row, but {}; correct "
                    "that or name another column",
                    which, reason));
  }
  if (degrees_in(info.unit)) return;
  throw RunError(
      fmt::format("{} has the unit '{}', but positions must be in deg, rad, h (of 15 deg), arcmin, "
                  "arcsec or mas; correct the unit or name another column",
                  which, info.unit));
}

}  // namespace qsohost::inline io_v1
