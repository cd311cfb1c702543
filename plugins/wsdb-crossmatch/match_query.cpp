#include "match_query.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace wsdb {

namespace {

using qsohost::quote_identifier;

// The pairs left by option `match`.
std::string matched(const MatchQuery& match) {
  return match.nearest ? "SELECT * FROM counted WHERE place = 1" : "SELECT * FROM counted";
}

// The pairs left by option `unique` as well. Rows without an identifier are not duplicates of each
// other: they stay, to be reported.
std::string settled(const MatchQuery& match) {
  if (match.unique == qsohost::RepeatsKept::Nearest) {
    return "SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY id ORDER BY sep, left_key, "
           "right_key) AS turn FROM matched) s WHERE turn = 1 OR id IS NULL";
  }
  if (match.unique == qsohost::RepeatsKept::None) {
    return "SELECT * FROM (SELECT *, count(*) OVER (PARTITION BY id) AS times FROM matched) s "
           "WHERE times = 1 OR id IS NULL";
  }
  return "SELECT * FROM matched";
}

// RA -10 becomes 350, and 360 becomes 0: the same numbers as from FITS, so that equal distances are
// equal.
std::string in_circle(const std::string& ra) {
  return fmt::format(
      "CASE WHEN {0} < 0 AND {0}::float8 + 360 < 360 THEN {0}::float8 + 360 "
      "WHEN {0} < 0 THEN 0 WHEN {0} >= 360 THEN {0}::float8 - 360 ELSE {0}::float8 END",
      ra);
}

std::string on_sky(const std::string& ra, const std::string& dec) {
  return fmt::format("{} BETWEEN -360 AND 360 AND {} BETWEEN -90 AND 90", ra, dec);
}

// key, right_key, id, sep and left_columns of all pairs.
std::string all_pairs(const MatchQuery& match) {
  const std::string q3c = quote_identifier(match.q3c_schema);
  const std::string ra = "r." + quote_identifier(match.right.ra);
  const std::string dec = "r." + quote_identifier(match.right.dec);
  const std::string id =
      "r." + quote_identifier(match.id) + (match.id_is_text ? "::text COLLATE \"C\"" : "::int8");
  // q3c_join excludes the radius itself, so the query uses a slightly larger one.
  const std::string join = fmt::format("{}.q3c_join(l.ra, l.dec, {}, {}, {}::float8 / 3600)", q3c,
                                       ra, dec, match.radius_arcsec * (1 + 1e-9) + 1e-9);
  return fmt::format(
      "SELECT * FROM (SELECT l.*, r.ctid AS right_key, {} AS id, "
      "{}.q3c_dist(l.ra, l.dec, {}, {}) * 3600 AS sep\nFROM ({}) l, {} r\nWHERE {} AND {}) near "
      "WHERE sep <= {}::float8",
      id, q3c, in_circle(ra), dec, left_rows(match), match.right.table.sql(), join, on_sky(ra, dec),
      match.radius_arcsec);
}

}  // namespace

std::string left_rows(const MatchQuery& match) {
  const std::string ra = quote_identifier(match.left.ra);
  const std::string dec = quote_identifier(match.left.dec);
  std::string columns;
  for (std::size_t i = 0; i < match.left_columns.size(); ++i) {
    columns += fmt::format(", {} AS l{}", quote_identifier(match.left_columns[i]), i);
  }
  // On its own line, because a condition may end in a comment.
  const std::string where =
      match.where.empty() ? std::string() : fmt::format(" AND (\n{}\n)", match.where);
  return fmt::format("SELECT {} AS left_key, {} AS ra, {}::float8 AS dec{} FROM {} WHERE {}{}",
                     match.left_is_numbered ? "row_number() OVER ()" : "ctid", in_circle(ra), dec,
                     columns, match.left.table.sql(), on_sky(ra, dec), where);
}

std::string match_sql(const MatchQuery& match) {
  const std::string left = match.left_is_numbered ? std::string()
                                                  : fmt::format("JOIN {} l ON l.ctid = p.left_key ",
                                                                match.left.table.sql());
  return fmt::format(
      "WITH pairs AS MATERIALIZED (\n{}\n), counted AS (\n"
      "SELECT *, (count(*) OVER (PARTITION BY left_key))::int4 AS n, "
      "row_number() OVER (PARTITION BY left_key ORDER BY sep, id, right_key) AS place FROM pairs\n"
      "), matched AS (\n{}\n), settled AS (\n{}\n)\n"
      "SELECT {}\nFROM (SELECT * FROM settled ORDER BY id, sep, left_key, right_key) p\n"
      "{}JOIN {} r ON r.ctid = p.right_key\n"
      "ORDER BY p.id, p.sep, p.left_key, p.right_key",
      all_pairs(match), matched(match), settled(match), fmt::join(match.select, ", "), left,
      match.right.table.sql());
}

}  // namespace wsdb
