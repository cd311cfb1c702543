// Whether the server finds pairs by a q3c index, and if not, what that costs and why.
#pragma once

#include <cstdint>
#include <string>

#include "input_table.hpp"
#include "match_query.hpp"

namespace wsdb {

// The warning; empty if the index of every part of the right table is used. `query`: of the whole
// cross-match; `left_rows` and `right_rows`: about how many these tables have.
std::string index_warning(qsohost::PgTransaction& snapshot, const InputTable& right,
                          const MatchQuery& match, const std::string& query,
                          std::uint64_t left_rows, std::uint64_t right_rows);

}  // namespace wsdb
