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
};

struct MatchQuery {
  std::string q3c_schema;
  MatchSide left;
  // True for a view, a foreign or a partitioned table, whose rows have no ctid: they are numbered
  // in order, and the pairs carry their values.
  bool left_is_numbered = false;
  std::vector<std::string> left_columns;  // carried by the pairs: l0, l1, ... of p
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
// number), ra in [0, 360), dec, and left_columns.
std::string left_rows(const MatchQuery& match);

// The rows and order that <qsohost/io/crossmatch.hpp> specifies. Pairs are found, counted and
// sorted by their keys (ctid) alone, and then each row is fetched by its key: sorting rows of 336
// columns would take gigabytes of the server's disk.
std::string match_sql(const MatchQuery& match);

}  // namespace wsdb
