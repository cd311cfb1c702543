#include "index_check.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>

namespace wsdb {

namespace {

using qsohost::PgTransaction;
using qsohost::quote_identifier;

constexpr double kPairsPerSecond = 1e7;  // that one session compares without an index
constexpr double kQuick = 10;            // seconds
constexpr std::size_t kMostNamed = 5;

// The conditions of q3c_join, in an index of this server or sent to another one.
bool uses_index(PgTransaction& snapshot, const std::string& query) {
  for (const auto& [line] : snapshot.query<std::string>("EXPLAIN (VERBOSE, COSTS OFF) " + query)) {
    const bool is_condition = line.find("Index Cond:") != std::string::npos ||
                              line.find("Remote SQL:") != std::string::npos;
    if (is_condition && line.find("q3c_ang2ipix") != std::string::npos) return true;
  }
  return false;
}

// Whether it would if reading all of a table were expensive: small tables are better read.
bool can_use_index(PgTransaction& snapshot, const std::string& query) {
  snapshot.execute("SET LOCAL enable_seqscan = off");
  const bool can = uses_index(snapshot, query);
  snapshot.execute("SET LOCAL enable_seqscan TO DEFAULT");
  return can;
}

std::string duration_of(double seconds) {
  if (seconds < 120) return fmt::format("{:.0f} s", seconds);
  if (seconds < 7200) return fmt::format("{:.0f} minutes", seconds / 60);
  return seconds < 172800 ? fmt::format("{:.0f} hours", seconds / 3600)
                          : fmt::format("{:.0f} days", seconds / 86400);
}

// Of the table and all that inherit from it or are its partitions, as far as they have rows.
struct Part {
  std::string name;
  std::optional<std::string> index;  // the first on q3c_ang2ipix, in SQL
};

std::vector<Part> parts_of(PgTransaction& snapshot, const std::string& table) {
  const std::vector<std::string> parameter{table};
  std::vector<Part> parts;
  for (auto& [name, index] : snapshot.query<std::string, std::optional<std::string>>(
           "WITH RECURSIVE part AS (SELECT $1::regclass::oid AS oid UNION ALL SELECT inhrelid FROM "
           "pg_inherits JOIN part ON inhparent = part.oid) "
           "SELECT p.oid::regclass::text, (SELECT min(pg_get_indexdef(indexrelid)) FROM pg_index "
           "WHERE indrelid = p.oid AND indisvalid AND "
           "pg_get_indexdef(indexrelid) LIKE '%q3c_ang2ipix%') "
           "FROM part p JOIN pg_class c ON c.oid = p.oid WHERE relkind IN ('r', 'm') AND "
           "pg_relation_size(c.oid) > 0 ORDER BY 1",
           parameter)) {
    parts.push_back({std::move(name), std::move(index)});
  }
  return parts;
}

// An index of a partitioned table becomes one of each partition; one of a table that others inherit
// from does not.
std::string create_index(PgTransaction& snapshot, const InputTable& right, const MatchQuery& match,
                         const std::vector<Part>& parts) {
  const auto schema = snapshot.query<std::string>(
      "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace "
      "WHERE e.extname = 'q3c'");
  std::string table = right.where.sql();
  if (right.kind == 'r' && parts.size() > 1) {
    const auto without =
        std::ranges::find_if(parts, [](const Part& part) { return !part.index.has_value(); });
    if (without != parts.end()) table = without->name;
  }
  return fmt::format("CREATE INDEX ON {0} ({1}.q3c_ang2ipix({2}, {3})); ANALYZE {0}", table,
                     quote_identifier(std::get<0>(schema.at(0))), quote_identifier(match.right.ra),
                     quote_identifier(match.right.dec));
}

// Why no index can be used, and what to do.
std::string reason(PgTransaction& snapshot, const InputTable& right, const MatchQuery& match,
                   const std::vector<Part>& parts) {
  if (!qsohost::hidden_rows_warning(snapshot, right.where).empty()) {
    return "row-level security is active on it, and the server does not let q3c's functions see "
           "rows that a policy may hide (they are not LEAKPROOF); use a role with BYPASSRLS";
  }
  if (right.kind == 'v') {
    return fmt::format(
        "it is a view: its columns {} and {} must be those of an index of its table, without a "
        "cast, and it must have no GROUP BY, DISTINCT, LIMIT or UNION; match the table, or a "
        "materialised "
        "view with an index",
        match.right.ra, match.right.dec);
  }
  if (right.kind == 'f') {
    return "it is a foreign table: the other server can use its index if q3c is there too, in the "
           "same schema, and its entry here has OPTIONS (extensions 'q3c', use_remote_estimate "
           "'true') (ALTER SERVER); or connect to that server";
  }
  const auto indexed =
      std::ranges::find_if(parts, [](const Part& part) { return part.index.has_value(); });
  if (indexed == parts.end()) return "it has none: " + create_index(snapshot, right, match, parts);
  return fmt::format("there is one ({}), but not on {} and {} as they are: {}", *indexed->index,
                     match.right.ra, match.right.dec, create_index(snapshot, right, match, parts));
}

}  // namespace

std::string index_warning(PgTransaction& snapshot, const InputTable& right, const MatchQuery& match,
                          const std::string& query, std::uint64_t left_rows,
                          std::uint64_t right_rows) {
  const std::string table = match.right.table.sql();
  const std::vector<Part> parts = parts_of(snapshot, table);
  if (!uses_index(snapshot, query)) {
    const double seconds =
        static_cast<double>(left_rows) * static_cast<double>(right_rows) / kPairsPerSecond;
    const bool can = can_use_index(snapshot, query);
    if (can && seconds < kQuick) return {};
    return fmt::format(
        "the server will not use a q3c index on {}, but compare each of {} left rows with each of "
        "about {} right rows, which takes about {}; {}",
        table, left_rows, right_rows, duration_of(seconds),
        can ? "its statistics may be old: ANALYZE " + table
            : reason(snapshot, right, match, parts));
  }
  std::vector<std::string> without;
  for (const Part& part : parts) {
    if (!part.index) without.push_back(part.name);
  }
  if (without.empty()) return {};
  const std::size_t most = std::min(without.size(), kMostNamed);
  return fmt::format(
      "{} of {} parts of {} have no q3c index, so each left row is compared with all of their "
      "rows: {}{}; {}",
      without.size(), parts.size(), table, fmt::join(std::span(without).first(most), ", "),
      most < without.size() ? ", ..." : "", create_index(snapshot, right, match, parts));
}

}  // namespace wsdb
