#include "match_plan.hpp"

#include <fmt/format.h>

#include <utility>

#include <nlohmann/json.hpp>

#include "index_check.hpp"
#include "input_table.hpp"
#include "match_query.hpp"

namespace wsdb {

namespace {

using qsohost::CrossmatchOptions;
using qsohost::DType;
using qsohost::PgColumn;
using qsohost::PgShape;
using qsohost::PgTransaction;
using qsohost::quote_identifier;
using qsohost::RunError;

// The right table is counted only if that takes seconds.
constexpr std::uint64_t kMostCounted = 5'000'000;

void require_q3c(PgTransaction& snapshot) {
  if (!snapshot.query<int>("SELECT 1 FROM pg_extension WHERE extname = 'q3c'").empty()) return;
  const auto database = snapshot.query<std::string>("SELECT current_database()");
  throw RunError(fmt::format(
      "database '{}' does not have the extension q3c, which finds pairs on the sky; its "
      "administrator can add it: CREATE EXTENSION q3c (Debian: postgresql-NN-q3c)",
      std::get<0>(database.at(0))));
}

std::string trouble_of(const PgColumn& column) {
  if (!column.trouble.empty() || column.shape != PgShape::Varying) return column.trouble;
  return "its arrays are not all of one length, or are all missing, in the first rows";
}

PgColumn plain(std::string name, DType type, std::string unit, std::string description) {
  return {{std::move(name), type, std::move(unit), std::move(description)}, "", PgShape::Scalar};
}

// Reports all columns that cannot be taken at once, and the option that leaves them out.
void check_columns(const InputTable& left, const InputTable& right,
                   const qsohost::CrossmatchLayout& layout, const CrossmatchOptions& options) {
  std::string troubles;
  std::vector<qsohost::OptionValue::Scalar> entries(options.columns->begin(),
                                                    options.columns->end());
  for (const qsohost::CrossmatchColumn& chosen : layout.columns) {
    const InputTable& table = chosen.is_right ? right : left;
    const PgColumn& column = table.columns[chosen.position];
    const std::string trouble = trouble_of(column);
    if (trouble.empty()) continue;
    troubles += fmt::format("{}: column '{}' cannot be taken: {}\n", table.names.name,
                            column.info.name, trouble);
    entries.emplace_back(
        fmt::format("-{}.{}", (*options.prefixes)[chosen.is_right ? 1 : 0], column.info.name));
  }
  if (troubles.empty()) return;
  throw RunError(fmt::format("{}leave them out: columns = {}", troubles,
                             qsohost::to_toml({std::move(entries)})));
}

// One side's part of the select list.
class Selection {
 public:
  Selection(MatchSide& side, char letter, MatchQuery& match)
      : side_(side), letter_(letter), match_(match) {}

  // `column` with an expression around it, "{}::int8".
  void add(const PgColumn& column, std::string_view around = "{}") {
    const std::string name = quote_identifier(column.info.name);
    // The left table has no alias where its rows are found, since `where` may use its name.
    const bool has_alias = side_.has_row_keys || letter_ == 'r';
    std::string value =
        fmt::format(fmt::runtime(around),
                    column.value_of(has_alias ? fmt::format("{}.{}", letter_, name) : name));
    if (!side_.has_row_keys) {
      side_.carried.push_back(
          std::exchange(value, fmt::format("p.{}{}", letter_, side_.carried.size())));
    }
    match_.select.push_back(std::move(value));
  }

 private:
  MatchSide& side_;
  char letter_;
  MatchQuery& match_;
};

const PgColumn& column_called(const InputTable& table, const std::string& name) {
  return *std::ranges::find(table.columns, name,
                            [](const PgColumn& column) { return column.info.name; });
}

// Select list and columns of the result, in the order of crossmatch.hpp.
void choose_columns(const InputTable& left, const InputTable& right,
                    const CrossmatchOptions& options, MatchQuery& match, MatchPlan& plan) {
  const qsohost::CrossmatchLayout layout = crossmatch_layout(left.names, right.names, options);
  check_columns(left, right, layout, options);
  Selection of_left(match.left, 'l', match);
  Selection of_right(match.right, 'r', match);
  for (const qsohost::CrossmatchColumn& chosen : layout.columns) {
    PgColumn column = (chosen.is_right ? right : left).columns[chosen.position];
    const bool is_integer_id = chosen.is_right && column.info.name == match.id && !match.id_is_text;
    (chosen.is_right ? of_right : of_left).add(column, is_integer_id ? "{}::int8" : "{}");
    if (is_integer_id) column.info.dtype = DType::I64;
    column.info.name = chosen.name;
    plan.columns.push_back(std::move(column));
  }
  match.select.insert(match.select.end(), {"p.sep", "p.n"});
  if (layout.adds_ra) of_right.add(column_called(right, match.right.ra), "{}::float8");
  if (layout.adds_dec) of_right.add(column_called(right, match.right.dec), "{}::float8");
  for (qsohost::Port& port : crossmatch_ports(layout)) {
    plan.columns.push_back(plain(port.name, *port.dtype, port.unit, port.help));
  }
  PgColumn numbers = plain("numbers", DType::I64, "", "");
  numbers.shape = PgShape::Fixed;
  numbers.info.width = 4;
  plan.columns.push_back(std::move(numbers));
}

// Names the columns whose type is not kept.
void report_casts(const MatchPlan& plan, qsohost::Context& context) {
  std::string casts;
  for (const PgColumn& column : plan.columns) {
    if (column.cast.empty()) continue;
    casts += fmt::format("{}{} ({}) as {}", casts.empty() ? "" : ", ", column.info.name,
                         column.sql_type, name_of(column.info.dtype));
  }
  if (!casts.empty()) context.info("columns taken by a cast: " + casts);
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

qsohost::CrossmatchRows count_side(PgTransaction& snapshot, const InputTable& table,
                                   const MatchSide& side, const std::string& where,
                                   qsohost::Context& context) {
  using N = std::int64_t;
  const auto [rows, off_sky, wrapped] = snapshot.query<N, N, N>(count_rows(side, where)).at(0);
  const qsohost::CrossmatchRows counted{table.names.name, static_cast<std::uint64_t>(rows),
                                        static_cast<std::uint64_t>(off_sky),
                                        static_cast<std::uint64_t>(wrapped)};
  report_positions(context, counted);
  return counted;
}

MatchQuery query_of(InputTable& left, InputTable& right, const CrossmatchOptions& options) {
  MatchQuery match;
  match.left = {left.where, position(left, options.left_ra), position(left, options.left_dec),
                left.has_row_keys};
  match.right = {right.where, position(right, options.right_ra), position(right, options.right_dec),
                 right.has_row_keys};
  const PgColumn& id = identifier(right, options);
  match.id = id.info.name;
  match.id_is_text = id.info.dtype == DType::String;
  match.radius_arcsec = *options.radius_arcsec;
  match.where = *options.where;
  match.nearest = *options.match == qsohost::PairsKept::Nearest;
  match.unique = *options.unique;
  return match;
}

}  // namespace

PgTransaction begin_snapshot(const std::string& dsn, std::function<bool()> stop) {
  qsohost::PgConnection connection(dsn, std::move(stop));
  PgTransaction snapshot(connection, qsohost::PgAccess::Snapshot);
  // The planner expects few rows from q3c_join. Nested loops over the index and the row keys are
  // right whatever it estimates, and keep the order of the keys. Compiling expressions of some
  // hundred columns takes longer than it saves. Rows of a view must come in the same order each
  // time, and so must the texts of times.
  for (const char* setting :
       {"enable_hashjoin = off", "enable_mergejoin = off", "jit = off",
        "synchronize_seqscans = off", "DateStyle = 'ISO, YMD'", "IntervalStyle = 'postgres'",
        "TimeZone = 'UTC'", "extra_float_digits = 1"}) {
    snapshot.execute(std::string("SET LOCAL ") + setting);
  }
  // q3c's functions call each other without a schema.
  snapshot.execute(
      "SELECT set_config('search_path', concat_ws(', ', current_setting('search_path'), "
      "quote_ident(n.nspname)), true) FROM pg_extension e JOIN pg_namespace n "
      "ON n.oid = e.extnamespace WHERE e.extname = 'q3c'");
  return snapshot;
}

PlannedMatch plan_match(PgTransaction& snapshot, const std::string& left_name,
                        const std::string& right_name, const CrossmatchOptions& options,
                        qsohost::Context& context) {
  InputTable left = look_at(snapshot, left_name);
  InputTable right = look_at(snapshot, right_name);
  require_q3c(snapshot);
  MatchQuery match = query_of(left, right, options);
  PlannedMatch planned{{}, {left_name}, {right_name}};
  MatchPlan& plan = planned.plan;
  choose_columns(left, right, options, match, plan);
  report_casts(plan, context);
  check_where(snapshot, match);
  plan.query = match_sql(match);
  for (const InputTable* table : {&left, &right}) {
    const std::string hidden = hidden_rows_warning(snapshot, table->where);
    if (!hidden.empty()) context.warn(hidden);
  }
  planned.left = count_side(snapshot, left, match.left, match.where, context);
  const std::uint64_t right_rows = expected_rows(snapshot, right);
  if (right.kind != 'f' && right_rows <= kMostCounted) {
    planned.right = count_side(snapshot, right, match.right, "", context);
  }
  const std::string slow =
      index_warning(snapshot, right, match, plan.query, *planned.left.rows, right_rows);
  if (!slow.empty()) context.warn(slow);
  return planned;
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
