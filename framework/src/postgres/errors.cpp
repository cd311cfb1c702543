#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "postgres/libpq.hpp"
#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

namespace {

struct Advice {
  std::string_view sqlstate;  // or the beginning of it
  std::string_view text;
};

constexpr std::array kAdvice{
    Advice{"28", "check the user; passwords come from ~/.pgpass, PGPASSWORD or the service file"},
    Advice{"3D000", "check the database name in option 'dsn'"},
    Advice{"3F000", "check the names of the tables in the options"},
    Advice{"42P01", "check the names of the tables in the options"},
    Advice{"42501", "ask the database's administrator for the right (GRANT SELECT, USAGE)"},
    Advice{"42883", "an extension that offers it may be missing in this database"},
    Advice{"57014", "the server's administrator or its statement_timeout has ended the query"},
};

// What may work a minute later. 57014 is a query cancelled, which would be cancelled again.
bool is_passing(std::string_view sqlstate) {
  if (sqlstate.empty()) return true;
  constexpr std::array<std::string_view, 4> classes{"08", "53", "40", "57P"};
  return std::ranges::any_of(classes, [&](std::string_view c) { return sqlstate.starts_with(c); });
}

}  // namespace

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool is_blank = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (!is_blank) {
      line += c;
    } else if (!line.ends_with(' ')) {
      line += ' ';
    }
  }
  if (line.ends_with(' ')) line.pop_back();
  return line;
}

void throw_sql_error(std::string_view sqlstate, std::string message) {
  message = one_line(message);
  if (!sqlstate.empty()) message += fmt::format(" (SQLSTATE {})", sqlstate);
  if (is_passing(sqlstate)) throw TryAgain(message);
  for (const Advice& advice : kAdvice) {
    if (!sqlstate.starts_with(advice.sqlstate)) continue;
    message += fmt::format("; {}", advice.text);
    break;
  }
  throw RunError(message);
}

}  // namespace qsohost::inline v1
