#include <sqlite3.h>

#include "qsohost/sphere.hpp"
#include "tap/database.hpp"

namespace qsohost::skysim {

namespace {

void distance(sqlite3_context* context, int /*count*/, sqlite3_value** values) {
  for (int i = 0; i < 4; ++i) {
    if (sqlite3_value_type(values[i]) == SQLITE_NULL) return sqlite3_result_null(context);
  }
  const auto degrees = [&](int i) { return sqlite3_value_double(values[i]); };
  sqlite3_result_double(context,
                        separation_arcsec(degrees(0), degrees(1), degrees(2), degrees(3)) / 3600);
}

}  // namespace

void add_geometry(sqlite3* database) {
  sqlite3_create_function(database, "adql_distance", 4,
                          SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, nullptr, distance,
                          nullptr, nullptr);
}

}  // namespace qsohost::skysim
