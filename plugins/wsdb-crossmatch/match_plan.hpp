// What to ask the server, and what will come: made from the options and the two tables as they are.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <qsohost/io/crossmatch.hpp>
#include <qsohost/postgres.hpp>

namespace wsdb {

struct MatchPlan {
  std::string query;
  std::vector<qsohost::PgColumn> columns;  // of its answer; named as in the batch
};

// As text and back; equal plans are equal texts.
std::string to_text(const MatchPlan& plan);
MatchPlan plan_from(const std::string& text);  // throws std::exception for other text

// A new session in one snapshot, in which nothing can be changed, and with only those join methods
// that are good for a cross-match.
qsohost::PgTransaction begin_snapshot(const std::string& dsn, std::function<bool()> stop);

// Looks at tables, columns, extension and the server's plan. Throws RunError for what is missing
// or cannot be taken; `warn` is told of a plan that does without the index.
MatchPlan make_plan(qsohost::PgTransaction& snapshot, const std::string& left,
                    const std::string& right, const qsohost::CrossmatchOptions& options,
                    const std::function<void(const std::string&)>& warn);

}  // namespace wsdb
