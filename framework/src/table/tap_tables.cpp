#include "qsohost/io/tap_tables.hpp"

#include <fmt/format.h>

#include "qsohost/io/text.hpp"

namespace qsohost::inline io_v1 {

namespace {

// A text constant of ADQL.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

}  // namespace

std::vector<std::string> tap_column(Examination& archive, const std::string& url,
                                    const std::string& adql) {
  const std::string body =
      archive.ask(TapQuery{.url = url, .adql = adql, .format = "csv", .about = "its tables"});
  TableReader table(body);
  std::vector<std::string> out;
  std::vector<std::string_view> cells;
  while (table.next(cells)) out.emplace_back(cells.front());
  return out;
}

std::vector<std::string> tap_columns_of(Examination& archive, const std::string& url,
                                        std::string_view table) {
  const std::string_view bare = table.substr(table.rfind('.') + 1);
  return tap_column(
      archive, url,
      fmt::format("SELECT column_name FROM TAP_SCHEMA.columns WHERE table_name = {} OR "
                  "table_name = {}",
                  quoted(table), quoted(bare)));
}

}  // namespace qsohost::inline io_v1
