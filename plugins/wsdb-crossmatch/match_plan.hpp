// The query and its result columns, derived from the options and the two tables.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <qsohost/io/crossmatch.hpp>
#include <qsohost/postgres.hpp>

namespace wsdb {

struct MatchPlan {
  std::string query;
  std::vector<qsohost::PgColumn> columns;  // of the result; named as in the batch
};

// To text and back; equal plans have equal texts.
std::string to_text(const MatchPlan& plan);
MatchPlan plan_from(const std::string& text);  // throws std::exception for other text

// A new read-only session in one snapshot, with only the join methods that suit a cross-match.
qsohost::PgTransaction begin_snapshot(const std::string& dsn, std::function<bool()> stop);

// Checks tables, columns, extension and the server's plan. Throws RunError for what is missing or
// unsuitable; calls `warn` for a plan that does not use the index.
MatchPlan make_plan(qsohost::PgTransaction& snapshot, const std::string& left,
                    const std::string& right, const qsohost::CrossmatchOptions& options,
                    const std::function<void(const std::string&)>& warn);

}  // namespace wsdb
