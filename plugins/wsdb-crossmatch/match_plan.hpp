// The query and its result columns, derived from the options and the two tables.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <qsohost/context.hpp>
#include <qsohost/io/crossmatch.hpp>
#include <qsohost/postgres.hpp>

namespace wsdb {

struct MatchPlan {
  std::string query;
  // Of the result; named as in the batch. The last is the numbers of match_sql(), for no batch.
  std::vector<qsohost::PgColumn> columns;
};

// To text and back; equal plans have equal texts.
std::string to_text(const MatchPlan& plan);
MatchPlan plan_from(const std::string& text);  // throws std::exception for other text

// A new read-only session in one snapshot, with only the join methods that suit a cross-match.
qsohost::PgTransaction begin_snapshot(const std::string& dsn, std::function<bool()> stop);

struct PlannedMatch {
  MatchPlan plan;
  qsohost::CrossmatchRows left;
  qsohost::CrossmatchRows right;  // not counted if there are many
};

// Checks tables, columns, extension and the server's plan, and counts rows without a position.
// Throws RunError for what is missing or unsuitable. Warns of those rows, of rows that a policy may
// hide, and of a plan that does not use the index.
PlannedMatch plan_match(qsohost::PgTransaction& snapshot, const std::string& left,
                        const std::string& right, const qsohost::CrossmatchOptions& options,
                        qsohost::Context& context);

}  // namespace wsdb
