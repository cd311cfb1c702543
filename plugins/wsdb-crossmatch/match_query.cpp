#include "match_query.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace wsdb {

namespace {

using qsohost::quote_identifier;

// What is left of the pairs after option `match`.
std::string matched(const MatchQuery& match) {
  return match.nearest ? "SELECT * FROM counted WHERE place = 1" : "SELECT * FROM counted";
}

// And after option `unique`.
std::string settled(const MatchQuery& match) {
  if (match.unique == "nearest") {
    return "SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY id ORDER BY sep, left_key, "
           "right_key) AS turn FROM matched) s WHERE turn = 1";
  }
  if (match.unique == "drop") {
    return "SELECT * FROM (SELECT *, count(*) OVER (PARTITION BY id) AS times FROM matched) s "
           "WHERE times = 1";
  }
  return "SELECT * FROM matched";
}

}  // namespace

std::string left_rows(const MatchQuery& match) {
  const std::string ra = quote_identifier(match.left.ra);
  const std::string dec = quote_identifier(match.left.dec);
  // A line of its own: a condition may end in a comment.
  const std::string where =
      match.where.empty() ? std::string() : fmt::format(" AND (\n{}\n)", match.where);
  return fmt::format(
      "SELECT ctid AS key, {0} AS ra, {1} AS dec FROM {2} WHERE {0} BETWEEN -360 AND 360 AND {1} "
      "BETWEEN -90 AND 90{3}",
      ra, dec, match.left.table.sql(), where);
}

std::string match_sql(const MatchQuery& match) {
  const std::string q3c = quote_identifier(match.q3c_schema);
  const std::string ra = "r." + quote_identifier(match.right.ra);
  const std::string dec = "r." + quote_identifier(match.right.dec);
  const std::string id =
      "r." + quote_identifier(match.id) + (match.id_is_text ? "::text COLLATE \"C\"" : "::int8");
  const std::string pairs = fmt::format(
      "SELECT l.key AS left_key, r.ctid AS right_key, {} AS id, "
      "{}.q3c_dist(l.ra, l.dec, {}, {}) * 3600 AS sep\nFROM ({}) l, {} r\n"
      "WHERE {}.q3c_join(l.ra, l.dec, {}, {}, {}::float8 / 3600) AND {} BETWEEN -360 AND 360 AND "
      "{} "
      "BETWEEN -90 AND 90",
      id, q3c, ra, dec, left_rows(match), match.right.table.sql(), q3c, ra, dec,
      match.radius_arcsec, ra, dec);
  return fmt::format(
      "WITH pairs AS MATERIALIZED (\n{}\n), counted AS (\n"
      "SELECT *, (count(*) OVER (PARTITION BY left_key))::int4 AS n, "
      "row_number() OVER (PARTITION BY left_key ORDER BY sep, id, right_key) AS place FROM pairs\n"
      "), matched AS (\n{}\n), settled AS (\n{}\n)\n"
      "SELECT {}\nFROM (SELECT * FROM settled ORDER BY id, sep, left_key, right_key) p\n"
      "JOIN {} l ON l.ctid = p.left_key JOIN {} r ON r.ctid = p.right_key\n"
      "ORDER BY p.id, p.sep, p.left_key, p.right_key",
      pairs, matched(match), settled(match), fmt::join(match.select, ", "), match.left.table.sql(),
      match.right.table.sql());
}

}  // namespace wsdb
