#include "selection.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include <qsohost/adql.hpp>
#include <qsohost/names.hpp>

namespace tap_catalog {

namespace {

// The line break ends a comment at the end of the user's text.
std::string bracketed(std::string_view text) {
  while (!text.empty() &&
         (text.back() == ';' || std::isspace(static_cast<unsigned char>(text.back())) != 0)) {
    text.remove_suffix(1);
  }
  return fmt::format("({}\n)", text);
}

std::string from(const Selection& selection) {
  return selection.query.empty() ? qsohost::adql_name(selection.table)
                                 : bracketed(selection.query) + " AS selection";
}

std::string without_quotes(const std::string& name) {
  const bool is_quoted = name.size() > 2 && name.front() == '"' && name.back() == '"';
  return is_quoted ? name.substr(1, name.size() - 2) : name;
}

std::string columns_of(const Selection& selection) {
  const qsohost::CatalogNames& names = selection.names;
  if (names.wants_all()) return "*";
  std::vector<std::string> columns;
  const auto add = [&](const std::string& name) {
    const auto is_same = [&](const std::string& column) {
      return qsohost::lower_case(column) == qsohost::lower_case(qsohost::adql_name(name));
    };
    if (std::ranges::none_of(columns, is_same)) columns.push_back(qsohost::adql_name(name));
  };
  for (const std::string& name : {names.id, names.ra, names.dec}) add(name);
  for (const std::string& name : names.columns) add(name);
  return fmt::format("{}", fmt::join(columns, ", "));
}

}  // namespace

qsohost::CatalogNames names_in_answer(qsohost::CatalogNames names) {
  for (std::string* name : {&names.id, &names.ra, &names.dec}) *name = without_quotes(*name);
  for (std::string& name : names.columns) name = without_quotes(name);
  return names;
}

std::string count_query(const Selection& selection) {
  std::string adql = fmt::format("SELECT COUNT(*) AS n_rows, COUNT({}) AS n_ids FROM {}",
                                 qsohost::adql_name(selection.names.id), from(selection));
  if (!selection.where.empty()) adql += " WHERE " + bracketed(selection.where);
  return adql;
}

std::string example_query(const Selection& selection) {
  return "SELECT TOP 1 * FROM " + from(selection);
}

std::string page_query(const Selection& selection, std::int64_t rows, const std::string& begin) {
  const std::string id = qsohost::adql_name(selection.names.id);
  std::string adql =
      fmt::format("SELECT TOP {} {} FROM {}", rows, columns_of(selection), from(selection));
  std::vector<std::string> conditions;
  if (!selection.where.empty()) conditions.push_back(bracketed(selection.where));
  if (!begin.empty()) conditions.push_back(fmt::format("{} >= {}", id, begin));
  if (!conditions.empty()) adql += fmt::format(" WHERE {}", fmt::join(conditions, " AND "));
  return adql + " ORDER BY " + id;
}

}  // namespace tap_catalog
