// Small queries to a TAP service about its own tables (TAP_SCHEMA of IVOA TAP 1.1).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "qsohost/api.hpp"
#include "qsohost/examination.hpp"

namespace qsohost::inline io_v1 {

// The first column of the answer to `adql` at the service `url`, as text. Throws TryAgain if there
// is no good answer.
QSOHOST_API std::vector<std::string> tap_column(Examination& archive, const std::string& url,
                                                const std::string& adql);

// The names of a table's columns, in the service's order; TAP_SCHEMA may spell the table with or
// without its schema. Throws as above.
QSOHOST_API std::vector<std::string> tap_columns_of(Examination& archive, const std::string& url,
                                                    std::string_view table);

// Whether the service has the table, and the columns that a stage reads of it. Throws as above.
QSOHOST_API void examine_tap_table(Examination& archive, const std::string& url,
                                   const std::string& table, std::span<const ColumnRole> roles);

}  // namespace qsohost::inline io_v1
