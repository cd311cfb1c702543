#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "postgres/libpq.hpp"
#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

namespace {

struct Advice {
  std::string_view sqlstate;  // or a prefix of it
  std::string_view text;
};

constexpr std::array kAdvice{
    Advice{"25006", "the role, the database or the server (a standby) is set to read-only"},
    Advice{"28000",
           "check user, database and host: the server admits no such connection; where it "
           "says \"no encryption\", sslmode=require may help"},
    Advice{"28", "check the user; passwords come from ~/.pgpass, PGPASSWORD or the service file"},
    Advice{"3D000", "check the database name in option 'dsn'"},
    Advice{"3F000", "check the names of the tables in the options"},
    Advice{"42P01", "check the names of the tables in the options"},
    Advice{"42501", "ask the database's administrator for the right (GRANT SELECT, USAGE)"},
    Advice{"42883", "an extension that offers it may be missing in this database"},
    Advice{"53400",
           "the query needs more temporary disk than temp_file_limit allows: take fewer "
           "columns or rows"},
    Advice{"54011", "take fewer columns"},
    Advice{"57014", "the server's administrator or its statement_timeout has ended the query"},
};

// Transient errors, which may not recur a minute later. Not 57014, a cancelled query, which would
// be cancelled again, nor 53400, a limit that it would exceed again. 25P03: idle for too long in a
// transaction.
bool is_passing(std::string_view sqlstate) {
  if (sqlstate.empty()) return true;
  if (sqlstate == "53400") return false;
  constexpr std::array<std::string_view, 5> classes{"08", "53", "40", "57P", "25P03"};
  return std::ranges::any_of(classes, [&](std::string_view c) { return sqlstate.starts_with(c); });
}

// Runs of blanks and line ends become one blank.
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

bool is_code(std::string_view text) {
  return text.size() == 7 && text.substr(5) == ": " &&
         std::ranges::all_of(text.substr(0, 5), [](unsigned char c) {
           return std::isdigit(c) != 0 || std::isupper(c) != 0;
         });
}

// Drops the location in the server's source, and the location in a statement that the user did not
// write: a line of it, and one with a caret.
std::string without_places(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.starts_with("LOCATION:")) continue;
    const bool is_caret = line.ends_with('^') && line.find_first_not_of(" \t^") == line.npos;
    if (is_caret && lines.size() > 1) {
      lines.pop_back();
    } else {
      lines.push_back(line);
    }
  }
  return fmt::format("{}", fmt::join(lines, " "));
}

}  // namespace

// As in "FATAL:  28P01: password ...", perhaps after libpq's own text. The text may be in any
// language, codes are not.
ServerError server_error(std::string_view text) {
  std::string message = without_places(text);
  for (std::size_t at = message.find(":  "); at != std::string::npos;
       at = message.find(":  ", at + 1)) {
    if (!is_code(std::string_view(message).substr(at + 3, 7))) continue;
    const std::string code = message.substr(at + 3, 5);
    message.erase(at + 3, 7);
    // The server's word for ERROR, if nothing precedes it.
    if (message.find(' ') > at) message.erase(0, at + 3);
    return {code, one_line(message)};
  }
  return {"", one_line(message)};
}

void throw_sql_error(const ServerError& error) {
  std::string message = error.message;
  if (!error.sqlstate.empty()) message += fmt::format(" (SQLSTATE {})", error.sqlstate);
  if (is_passing(error.sqlstate)) throw TryAgain(message);
  for (const Advice& advice : kAdvice) {
    if (!error.sqlstate.starts_with(advice.sqlstate)) continue;
    message += fmt::format("; {}", advice.text);
    break;
  }
  throw RunError(message);
}

void throw_server_error(std::string_view text) {
  ServerError error = server_error(text);
  error.message = "PostgreSQL: " + error.message;
  throw_sql_error(error);
}

}  // namespace qsohost::inline v1
