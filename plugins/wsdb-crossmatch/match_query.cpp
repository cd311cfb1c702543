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

// A float8 modulo 360, in [0, 360): the same numbers as from FITS, so that equal distances are
// equal. The product is exact for all RA on the sky.
std::string in_circle(const std::string& ra) {
  const std::string rest = fmt::format("({0} - 360 * floor({0} / 360))", ra);
  return fmt::format("CASE WHEN {0} < 0 THEN {0} + 360 WHEN {0} >= 360 THEN 0 ELSE {0} END", rest);
}

std::string on_sky(const std::string& ra, const std::string& dec) {
  return fmt::format("{} BETWEEN -1e15 AND 1e15 AND {} BETWEEN -90 AND 90", ra, dec);
}

std::string carried(const MatchSide& side, char letter) {
  std::string out;
  for (std::size_t i = 0; i < side.carried.size(); ++i) {
    out += fmt::format(", {} AS {}{}", side.carried[i], letter, i);
  }
  return out;
}

// Tells the right rows of a pair's left row apart, for the order of pairs that are otherwise equal.
std::string right_key(const MatchSide& right) {
  if (right.has_row_keys) return "r.ctid";
  return fmt::format("hashtextextended(ROW({})::text, 0)", fmt::join(right.carried, ", "));
}

// left_key, right_key, id, sep and what is carried, of all pairs.
std::string all_pairs(const MatchQuery& match) {
  const std::string ra = "r." + quote_identifier(match.right.ra);
  const std::string dec = "r." + quote_identifier(match.right.dec);
  const std::string id =
      "r." + quote_identifier(match.id) + (match.id_is_text ? "::text COLLATE \"C\"" : "::int8");
  // q3c_join excludes the radius itself, so the query uses a slightly larger one. Columns of the
  // right table are not cast: the index would not be found.
  const std::string join = fmt::format("q3c_join(l.ra, l.dec, {}, {}, {}::float8 / 3600)", ra, dec,
                                       match.radius_arcsec * (1 + 1e-9) + 1e-9);
  return fmt::format(
      "SELECT * FROM (SELECT l.*, {} AS right_key, {} AS id, "
      "q3c_dist(l.ra, l.dec, {}, {}) * 3600 AS sep{}\nFROM ({}) l, {} r\nWHERE {} AND {}) near "
      "WHERE sep <= {}::float8",
      right_key(match.right), id, in_circle(ra + "::float8"), dec, carried(match.right, 'r'),
      left_rows(match), match.right.table.sql(), join, on_sky(ra, dec), match.radius_arcsec);
}

std::string and_where(const std::string& where) {
  // On its own line, because a condition may end in a comment.
  return where.empty() ? std::string() : fmt::format(" AND (\n{}\n)", where);
}

// Fetches the rows of one side, whose alias is the letter.
std::string join_rows(const MatchSide& side, char letter, const char* key) {
  if (!side.has_row_keys) return {};
  return fmt::format("JOIN {0} {1} ON {1}.ctid = p.{2}\n", side.table.sql(), letter, key);
}

}  // namespace

// OFFSET 0 keeps the planner from putting the expression for RA into q3c_join: the function is
// expanded, and so finds the index, only if its arguments are cheap.
std::string left_rows(const MatchQuery& match) {
  const MatchSide& left = match.left;
  const std::string ra = quote_identifier(left.ra);
  const std::string dec = quote_identifier(left.dec);
  return fmt::format(
      "SELECT i.*, {} AS ra FROM (SELECT {} AS left_key, {}::float8 AS any_ra, {}::float8 AS "
      "dec{} FROM {} WHERE {}{}) i OFFSET 0",
      in_circle("any_ra"), left.has_row_keys ? "ctid" : "row_number() OVER ()", ra, dec,
      carried(left, 'l'), left.table.sql(), on_sky(ra, dec), and_where(match.where));
}

std::string count_rows(const MatchSide& side, const std::string& where) {
  const std::string ra = quote_identifier(side.ra);
  const std::string sky = on_sky(ra, quote_identifier(side.dec));
  return fmt::format(
      "SELECT count(*), count(*) FILTER (WHERE ({0}) IS NOT TRUE), "
      "count(*) FILTER (WHERE {0} AND ({1} < 0 OR {1} >= 360)) FROM {2} WHERE true{3}",
      sky, ra, side.table.sql(), and_where(where));
}

std::string match_sql(const MatchQuery& match) {
  return fmt::format(
      "WITH pairs AS MATERIALIZED (\n{}\n), counted AS (\n"
      "SELECT *, (count(*) OVER (PARTITION BY left_key))::int4 AS n, "
      "row_number() OVER (PARTITION BY left_key ORDER BY sep, id, right_key) AS place FROM pairs\n"
      "), matched AS (\n{}\n), settled AS (\n{}\n)\n"
      "SELECT {},\nARRAY[(SELECT count(*) FROM pairs), "
      "(SELECT count(DISTINCT left_key) FROM pairs), (SELECT count(*) FROM settled), "
      "(SELECT count(*) FROM (SELECT FROM matched GROUP BY id HAVING count(*) > 1) c)]\n"
      "FROM (SELECT * FROM settled ORDER BY id, sep, left_key, right_key) p\n"
      "{}{}ORDER BY p.id, p.sep, p.left_key, p.right_key",
      all_pairs(match), matched(match), settled(match), fmt::join(match.select, ", "),
      join_rows(match.left, 'l', "left_key"), join_rows(match.right, 'r', "right_key"));
}

}  // namespace wsdb
