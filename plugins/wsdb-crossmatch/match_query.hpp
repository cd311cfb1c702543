// The SQL of a cross-match with q3c.
#pragma once

#include <string>
#include <vector>

#include <qsohost/io/crossmatch.hpp>
#include <qsohost/postgres.hpp>

namespace wsdb {

// Names are the database's, not quoted; types come with the columns.
struct MatchSide {
  qsohost::PgTable table;
  std::string ra;
  std::string dec;
  // An ordinary table or a materialised view, without children: a ctid is the key of one row. Rows
  // of all others are found once; then the pairs carry their values.
  bool has_row_keys = false;
  std::vector<std::string> carried{};  // expressions; l0, l1, ... or r0, r1, ... of p
};

struct MatchQuery {
  MatchSide left;
  MatchSide right;
  std::string id;  // of the right table
  bool id_is_text = false;
  double radius_arcsec = 1;
  std::string where;     // on the left table; "": every row
  bool nearest = false;  // option match
  qsohost::RepeatsKept unique = qsohost::RepeatsKept::All;
  std::vector<std::string> select;  // the selected expressions of l (left), r (right) and p (pair:
                                    // sep, n)
};

// Rows of the left table with a position on the sky that `where` selects; columns left_key (ctid or
// number), ra in [0, 360), dec, and those carried.
std::string left_rows(const MatchQuery& match);

// One row: how many rows of this side `where` selects, how many of these have no position, and how
// many have one with RA outside [0, 360).
std::string count_rows(const MatchSide& side, const std::string& where);

// The rows and order that <qsohost/io/crossmatch.hpp> specifies. Pairs are found, counted and
// sorted by their keys (ctid) alone, and then each row is fetched by its key: sorting rows of 336
// columns would take gigabytes of the server's disk. The last column of every row is the same array
// of four numbers: pairs found, left rows in them, pairs taken, identifiers in several pairs.
std::string match_sql(const MatchQuery& match);

}  // namespace wsdb
