#include "postgres/dsn.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>

#include "postgres/libpq.hpp"
#include "qsohost/error.hpp"
#include "qsohost/postgres.hpp"

namespace qsohost::inline v1 {

namespace {

bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
  });
}

using ConninfoOptions = std::unique_ptr<PQconninfoOption, PqRelease<PQconninfoFree>>;

}  // namespace

std::string full_dsn(const std::string& dsn) {
  return is_word(dsn) ? "service=" + dsn : dsn;
}

void check_dsn(const std::string& dsn) {
  char* raw_message = nullptr;
  const ConninfoOptions parsed(PQconninfoParse(full_dsn(dsn).c_str(), &raw_message));
  const std::unique_ptr<char, PqRelease<PQfreemem>> message(raw_message);
  if (parsed == nullptr) {
    // libpq's message quotes the text that it could not parse, which may be a password.
    throw UsageError(
        "the dsn cannot be read: it has to be a list of keyword=value (values with blanks in "
        "single "
        "quotes), a URI postgresql://..., or the name of a service");
  }
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    const bool is_secret = std::strstr(option->keyword, "password") != nullptr;
    if (!is_secret || option->val == nullptr) continue;
    throw UsageError(
        "the dsn holds a password, but chain files are stored and shown; take it out and put it "
        "into ~/.pgpass, the environment variable PGPASSWORD, or a service file");
  }
}

}  // namespace qsohost::inline v1
