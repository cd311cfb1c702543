#include "qsohost/io/tap_tables.hpp"

#include <fmt/format.h>

#include "qsohost/adql.hpp"
#include "qsohost/io/text.hpp"

namespace qsohost::inline io_v1 {

std::vector<std::string> tap_column(Examination& archive, const std::string& url,
                                    const std::string& adql) {
  const std::string body =
      archive.ask_tap({.url = url, .adql = adql, .format = "csv", .about = "its tables"});
  TableReader table(body);
  std::vector<std::string> out;
  std::vector<std::string_view> cells;
  while (table.next(cells)) out.emplace_back(cells.front());
  return out;
}

std::vector<std::string> tap_columns_of(Examination& archive, const std::string& url,
                                        std::string_view table) {
  // VizieR's names have quotes and slashes; TAP_SCHEMA has them with or without the quotes.
  if (table.starts_with('"') && table.ends_with('"') && table.size() > 1) {
    table = table.substr(1, table.size() - 2);
  }
  const std::string in_quotes = fmt::format("\"{}\"", table);
  const std::string_view bare =
      table.find('/') == table.npos ? table.substr(table.rfind('.') + 1) : in_quotes;
  return tap_column(
      archive, url,
      fmt::format("SELECT column_name FROM TAP_SCHEMA.columns WHERE table_name = {} OR "
                  "table_name = {}",
                  adql_literal(table), adql_literal(bare)));
}

void examine_tap_table(Examination& archive, const std::string& url, const std::string& table,
                       std::span<const ColumnRole> roles) {
  const std::vector<std::string> served = tap_columns_of(archive, url, table);
  if (served.empty()) {
    archive.change(fmt::format("the service has no table {}", table));
  } else {
    archive.check_columns(served, roles);
  }
}

}  // namespace qsohost::inline io_v1
