// Names and texts in queries of ADQL (IVOA ADQL 2.1), so that an option's value cannot be more than
// what it is meant to be.
#pragma once

#include <string>
#include <string_view>

#include "qsohost/api.hpp"

namespace qsohost::inline v1 {

// The name of a table or a column as an option gives it: parts with dots between, each a plain word
// or in double quotes, stay as they are; anything else becomes one identifier in double quotes, so
// that the service says that it has no such table.
QSOHOST_API std::string adql_name(std::string_view name);

QSOHOST_API std::string adql_identifier(std::string_view name);  // one part: "a""b"
QSOHOST_API std::string adql_literal(std::string_view text);     // 'it''s'

}  // namespace qsohost::inline v1
