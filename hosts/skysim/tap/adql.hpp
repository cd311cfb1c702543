// ADQL 2.0 as SQL of SQLite: TOP, geometry (POINT and CIRCLE in CONTAINS, INTERSECTS and DISTANCE),
// functions with other names, 'true' and 'false'. Everything else is the same in both.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "ztf_query.hpp"

namespace qsohost::skysim {

struct AdqlToken {
  enum class Kind { Word, Quoted, Text, Number, Symbol, End };
  Kind kind = Kind::End;
  std::string text;  // Quoted, Text: with the quotes
  std::size_t line = 1;
  std::size_t column = 1;  // from 1
};
// Throws AdqlError for characters that ADQL does not have.
std::vector<AdqlToken> adql_tokens(const std::string& query);

// In the words of the ADQL library that ESA, VizieR and others use; the status is 400.
class AdqlError : public BadRequest {
 public:
  using BadRequest::BadRequest;
  static AdqlError unexpected(const AdqlToken& token, std::string_view expected);
  static AdqlError unresolved(const AdqlToken& token);
};

struct SqlQuery {
  std::string sql;
  // Which token of the query each part of the SQL is from, ascending.
  struct Origin {
    std::size_t offset = 0;
    AdqlToken token;
  };
  std::vector<Origin> origins;

  const AdqlToken& token_at(std::size_t offset) const;
  // The name in lower case of everything that may be a table: identifiers.
  std::vector<std::string> names() const;
};
SqlQuery to_sql(const std::string& adql);

}  // namespace qsohost::skysim
