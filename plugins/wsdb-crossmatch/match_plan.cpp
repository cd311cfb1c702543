#include "match_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>
#include <qsohost/io/crossmatch.hpp>
#include <qsohost/io/input_columns.hpp>

#include "match_query.hpp"

namespace wsdb {

namespace {

using qsohost::CrossmatchOptions;
using qsohost::CrossmatchTable;
using qsohost::DType;
using qsohost::PgColumn;
using qsohost::PgShape;
using qsohost::PgTable;
using qsohost::PgTransaction;
using qsohost::quote_identifier;
using qsohost::RunError;

struct Table {
  PgTable where;
  bool has_row_keys = false;  // ctid, which only real tables have
  CrossmatchTable names;
  std::vector<PgColumn> columns;
};

std::string q3c_schema(PgTransaction& snapshot) {
  const auto rows = snapshot.query<std::string>(
      "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace "
      "WHERE e.extname = 'q3c'");
  if (!rows.empty()) return std::get<0>(rows[0]);
  const auto database = snapshot.query<std::string>("SELECT current_database()");
  throw RunError(fmt::format(
      "database '{}' does not have the extension q3c, which finds pairs on the sky; its "
      "administrator can add it: CREATE EXTENSION q3c (Debian: postgresql-NN-q3c)",
      std::get<0>(database.at(0))));
}

bool has_row_keys(PgTransaction& snapshot, const PgTable& table) {
  const std::vector<std::string> parameter{table.sql()};
  const auto rows = snapshot.query<bool>(
      "SELECT relkind IN ('r', 'm') FROM pg_class WHERE oid = $1::regclass", parameter);
  return std::get<0>(rows.at(0));
}

Table look_at(PgTransaction& snapshot, const std::string& name) {
  Table table{PgTable::parse(name), false, {name, {}}, {}};
  table.has_row_keys = has_row_keys(snapshot, table.where);
  table.columns = qsohost::columns_of(snapshot, table.where);
  for (const PgColumn& column : table.columns) table.names.columns.push_back(column.info.name);
  return table;
}

// The index of the right table must find its many rows, and their keys fetch them.
void check_right(const Table& right) {
  if (right.has_row_keys) return;
  throw RunError(
      fmt::format("{} (option 'right') is a view, a foreign or a partitioned table; name an "
                  "ordinary table or a materialised view, with an index",
                  right.names.name));
}

// The name of a column of positions, spelt as in the table; the option expects degrees.
std::string position(Table& table, const qsohost::Option<std::string>& option) {
  PgColumn& column = table.columns[qsohost::find_column(table.names.columns, *option,
                                                        table.names.name, option.name())];
  const bool is_number = column.trouble.empty() && column.shape == PgShape::Scalar &&
                         column.info.dtype != DType::String && column.info.dtype != DType::Bool;
  if (!is_number) {
    throw RunError(fmt::format("{}: column '{}' (option '{}') is {}, but positions are numbers",
                               table.names.name, column.info.name, option.name(), column.sql_type));
  }
  column.info.unit = "deg";
  return column.info.name;
}

PgColumn& identifier(Table& table, const CrossmatchOptions& options) {
  PgColumn& column =
      table.columns[qsohost::find_column(table.names.columns, *options.id, table.names.name, "id")];
  const DType type = column.info.dtype;
  const bool is_id = column.trouble.empty() && column.shape == PgShape::Scalar &&
                     type != DType::Bool && type != DType::F32 && type != DType::F64;
  if (is_id) return column;
  throw RunError(
      fmt::format("{}: column '{}' (option 'id') is {}, but identifiers are integers or texts",
                  table.names.name, column.info.name, column.sql_type));
}

void check_column(const PgColumn& column, const Table& table, const std::string& prefix) {
  std::string trouble = column.trouble;
  if (trouble.empty() && column.shape == PgShape::Varying) {
    trouble = "its arrays are not all of one length, or are all missing, in the first rows";
  }
  if (trouble.empty()) return;
  throw RunError(
      fmt::format("{}: column '{}' cannot be taken: {}; leave it out with columns = [\"all\", "
                  "\"-{}.{}\"]",
                  table.names.name, column.info.name, trouble, prefix, column.info.name));
}

PgColumn plain(std::string name, DType type, std::string unit, std::string description) {
  return {{std::move(name), type, std::move(unit), std::move(description)}, "", PgShape::Scalar};
}

// Select list and columns of the result, in the order of crossmatch.hpp.
void choose_columns(const Table& left, const Table& right, const CrossmatchOptions& options,
                    MatchQuery& match, MatchPlan& plan) {
  const qsohost::CrossmatchLayout layout = crossmatch_layout(left.names, right.names, options);
  for (const qsohost::CrossmatchColumn& chosen : layout.columns) {
    const Table& table = chosen.is_right ? right : left;
    PgColumn column = table.columns[chosen.position];
    check_column(column, table, (*options.prefixes)[chosen.is_right ? 1 : 0]);
    std::string expression =
        fmt::format("{}.{}", chosen.is_right ? 'r' : 'l', quote_identifier(column.info.name));
    if (!chosen.is_right && match.left_is_numbered) {
      expression = fmt::format("p.l{}", match.left_columns.size());
      match.left_columns.push_back(column.info.name);
    }
    if (chosen.is_right && column.info.name == match.id && !match.id_is_text) {
      expression += "::int8";
      column.info.dtype = DType::I64;
    }
    match.select.push_back(std::move(expression));
    column.info.name = chosen.name;
    plan.columns.push_back(std::move(column));
  }
  match.select.insert(match.select.end(), {"p.sep", "p.n"});
  const std::string ra = fmt::format("r.{}::float8", quote_identifier(match.right.ra));
  const std::string dec = fmt::format("r.{}::float8", quote_identifier(match.right.dec));
  if (layout.adds_ra) match.select.push_back(ra);
  if (layout.adds_dec) match.select.push_back(dec);
  for (qsohost::Port& port : crossmatch_ports(layout)) {
    plan.columns.push_back(plain(port.name, *port.dtype, port.unit, port.help));
  }
}

// Run alone, so that an error in it is not reported as one in a long generated statement.
void check_where(PgTransaction& snapshot, const MatchQuery& match) {
  try {
    snapshot.execute("EXPLAIN " + left_rows(match));
  } catch (const RunError& e) {
    if (match.where.empty()) throw;
    throw RunError(fmt::format("option 'where' ({}), or the right to read '{}': {}", match.where,
                               match.left.table.sql(), e.what()));
  }
}

void check_server_plan(PgTransaction& snapshot, const MatchQuery& match, const std::string& query,
                       const std::function<void(const std::string&)>& warn) {
  for (const auto& [line] : snapshot.query<std::string>("EXPLAIN (COSTS OFF) " + query)) {
    const bool is_condition = line.find("Index Cond") != std::string::npos;
    if (is_condition && line.find("q3c_ang2ipix") != std::string::npos) return;
  }
  const std::vector<std::string> table{match.right.table.sql()};
  const auto indexes = snapshot.query<int>(
      "SELECT 1 FROM pg_index WHERE indrelid = $1::regclass AND indisvalid AND "
      "pg_get_indexdef(indexrelid) LIKE '%q3c_ang2ipix%'",
      table);
  const std::string advice =
      indexes.empty()
          ? fmt::format(
                "it has none: CREATE INDEX ON {0} ({1}.q3c_ang2ipix({2}, {3})); ANALYZE {0}",
                table[0], quote_identifier(match.q3c_schema), quote_identifier(match.right.ra),
                quote_identifier(match.right.dec))
          : fmt::format(
                "there is one, but perhaps on other columns than {} and {}, or without "
                "statistics: ANALYZE {}",
                match.right.ra, match.right.dec, table[0]);
  warn(
      fmt::format("the server will not use a q3c index on {}, which takes hours for a large table; "
                  "{}",
                  table[0], advice));
}

}  // namespace

PgTransaction begin_snapshot(const std::string& dsn, std::function<bool()> stop) {
  qsohost::PgConnection connection(dsn, std::move(stop));
  PgTransaction snapshot(connection, qsohost::PgAccess::Snapshot);
  // The planner expects few rows from q3c_join. Nested loops over the index and the row keys are
  // right whatever it estimates, and keep the order of the keys. Compiling expressions of some
  // hundred columns takes longer than it saves. Rows of a view must come in the same order each
  // time.
  for (const char* setting : {"enable_hashjoin = off", "enable_mergejoin = off", "jit = off",
                              "synchronize_seqscans = off"}) {
    snapshot.execute(std::string("SET LOCAL ") + setting);
  }
  return snapshot;
}

MatchPlan make_plan(PgTransaction& snapshot, const std::string& left_name,
                    const std::string& right_name, const CrossmatchOptions& options,
                    const std::function<void(const std::string&)>& warn) {
  Table left = look_at(snapshot, left_name);
  Table right = look_at(snapshot, right_name);
  check_right(right);
  MatchQuery match;
  match.q3c_schema = q3c_schema(snapshot);
  match.left = {left.where, position(left, options.left_ra), position(left, options.left_dec)};
  match.left_is_numbered = !left.has_row_keys;
  match.right = {right.where, position(right, options.right_ra),
                 position(right, options.right_dec)};
  const PgColumn& id = identifier(right, options);
  match.id = id.info.name;
  match.id_is_text = id.info.dtype == DType::String;
  match.radius_arcsec = *options.radius_arcsec;
  match.where = *options.where;
  match.nearest = *options.match == qsohost::PairsKept::Nearest;
  match.unique = *options.unique;
  MatchPlan plan;
  choose_columns(left, right, options, match, plan);
  check_where(snapshot, match);
  plan.query = match_sql(match);
  check_server_plan(snapshot, match, plan.query, warn);
  return plan;
}

std::string to_text(const MatchPlan& plan) {
  using Json = nlohmann::json;
  Json columns = Json::array();
  for (const PgColumn& c : plan.columns) {
    columns.push_back({c.info.name, static_cast<int>(c.info.dtype), c.info.unit, c.info.description,
                       c.info.width, c.sql_type, static_cast<int>(c.shape), c.is_padded});
  }
  return Json{{"query", plan.query}, {"columns", columns}}.dump(1, ' ', false,
                                                                Json::error_handler_t::replace);
}

MatchPlan plan_from(const std::string& text) {
  const auto in = nlohmann::json::parse(text);
  MatchPlan plan{in.at("query"), {}};
  for (const auto& c : in.at("columns")) {
    PgColumn column{{c.at(0), static_cast<DType>(c.at(1).get<int>()), c.at(2), c.at(3), c.at(4)},
                    c.at(5),
                    static_cast<PgShape>(c.at(6).get<int>()),
                    c.at(7)};
    plan.columns.push_back(std::move(column));
  }
  return plan;
}

}  // namespace wsdb
