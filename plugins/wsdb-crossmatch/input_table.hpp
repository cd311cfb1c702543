// One of the two tables, as far as the database describes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <qsohost/io/crossmatch.hpp>
#include <qsohost/postgres.hpp>

namespace wsdb {

struct InputTable {
  qsohost::PgTable where;
  // pg_class.relkind: 'r' an ordinary table, 'm' a materialised view, 'v' a view, 'f' a foreign
  // table, 'p' a partitioned one.
  char kind = 'r';
  bool has_row_keys = false;  // see MatchSide
  qsohost::CrossmatchTable names;
  std::vector<qsohost::PgColumn> columns;
};

// Throws RunError if it does not exist.
InputTable look_at(qsohost::PgTransaction& snapshot, const std::string& name);

// The name of a column of positions, spelt as in the table; its unit becomes degrees. Throws
// RunError unless it holds numbers.
std::string position(InputTable& table, const qsohost::Option<std::string>& option);

// The right table's identifier. Throws RunError unless it holds integers or texts.
const qsohost::PgColumn& identifier(const InputTable& table,
                                    const qsohost::CrossmatchOptions& options);

// How many rows the server expects the table to have.
std::uint64_t expected_rows(qsohost::PgTransaction& snapshot, const InputTable& table);

}  // namespace wsdb
