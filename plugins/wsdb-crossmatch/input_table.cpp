#include "input_table.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <qsohost/error.hpp>
#include <qsohost/io/input_columns.hpp>

namespace wsdb {

namespace {

using qsohost::DType;
using qsohost::PgColumn;
using qsohost::PgShape;
using qsohost::PgTransaction;
using qsohost::RunError;

bool is_scalar(const PgColumn& column) {
  return column.trouble.empty() && column.shape == PgShape::Scalar;
}

bool is_float(DType type) {
  return type == DType::F32 || type == DType::F64;
}

// Rows of a table that others inherit from are found with the rows of these, which may have the
// same ctid.
void look_at_kind(PgTransaction& snapshot, InputTable& table) {
  const std::vector<std::string> parameter{table.where.sql()};
  const auto rows = snapshot.query<std::string, bool>(
      "SELECT relkind::text, relkind IN ('r', 'm') AND NOT EXISTS (SELECT FROM pg_inherits WHERE "
      "inhparent = oid) FROM pg_class WHERE oid = $1::regclass",
      parameter);
  table.kind = std::get<0>(rows.at(0)).at(0);
  table.has_row_keys = std::get<1>(rows.at(0));
}

}  // namespace

InputTable look_at(PgTransaction& snapshot, const std::string& name) {
  InputTable table{.where = qsohost::PgTable::parse(name), .names = {name, {}}, .columns = {}};
  look_at_kind(snapshot, table);
  table.columns = qsohost::columns_of(snapshot, table.where);
  for (const PgColumn& column : table.columns) table.names.columns.push_back(column.info.name);
  return table;
}

std::string position(InputTable& table, const qsohost::Option<std::string>& option) {
  PgColumn& column = table.columns[qsohost::find_column(table.names.columns, *option,
                                                        table.names.name, option.name())];
  const DType type = column.info.dtype;
  if (!is_scalar(column) || type == DType::String || type == DType::Bool) {
    throw RunError(fmt::format(
        "{}: column '{}' (option '{}') is {}, but positions are numbers, in degrees (integers, "
        "real, double precision or numeric); match a view that casts it: {}::float8",
        table.names.name, column.info.name, option.name(), column.sql_type,
        qsohost::quote_identifier(column.info.name)));
  }
  column.info.unit = "deg";
  return column.info.name;
}

const PgColumn& identifier(const InputTable& table, const qsohost::CrossmatchOptions& options) {
  const PgColumn& column =
      table.columns[qsohost::find_column(table.names.columns, *options.id, table.names.name, "id")];
  const DType type = column.info.dtype;
  if (is_scalar(column) && type != DType::Bool && !is_float(type)) return column;
  throw RunError(fmt::format(
      "{}: column '{}' (option 'id') is {}, but identifiers are integers or texts{}",
      table.names.name, column.info.name, column.sql_type,
      is_scalar(column) && is_float(type) ? fmt::format("; match a view that casts it: {}::int8",
                                                        qsohost::quote_identifier(column.info.name))
                                          : ""));
}

std::uint64_t expected_rows(PgTransaction& snapshot, const InputTable& table) {
  const auto plan = snapshot.query<std::string>(
      fmt::format("EXPLAIN (FORMAT JSON) SELECT FROM {}", table.where.sql()));
  const auto rows = nlohmann::json::parse(std::get<0>(plan.at(0)))[0]["Plan"]["Plan Rows"];
  return static_cast<std::uint64_t>(rows.get<double>());
}

}  // namespace wsdb
