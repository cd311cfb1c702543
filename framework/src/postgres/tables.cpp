#include <fmt/format.h>

#include <array>
#include <cctype>
#include <charconv>

#include "postgres/libpq.hpp"
#include "qsohost/error.hpp"
#include "qsohost/postgres.hpp"

namespace qsohost::inline v1 {

namespace {

constexpr std::size_t kSampleRows = 1000;

std::string doubled(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  return out + quote;
}

// One part of a name, taken off the front of `rest`.
std::string take_part(std::string_view& rest) {
  std::string part;
  if (!rest.starts_with('"')) {
    while (!rest.empty() && rest.front() != '.') {
      part += static_cast<char>(std::tolower(static_cast<unsigned char>(rest.front())));
      rest.remove_prefix(1);
    }
    return part.find_first_of(" \t\n\"';()") == std::string::npos ? part : "";
  }
  rest.remove_prefix(1);
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == '"' && !rest.starts_with('"')) return part;
    if (c == '"') rest.remove_prefix(1);
    part += c;
  }
  return {};
}

// Names of pg_type, without the "_" that begins those of arrays.
std::optional<DType> dtype_of_type(std::string_view type) {
  struct Entry {
    std::string_view name;
    DType dtype;
  };
  static constexpr std::array<Entry, 11> types{{{"bool", DType::Bool},
                                                {"int2", DType::I16},
                                                {"int4", DType::I32},
                                                {"int8", DType::I64},
                                                {"float4", DType::F32},
                                                {"float8", DType::F64},
                                                {"text", DType::String},
                                                {"varchar", DType::String},
                                                {"bpchar", DType::String},
                                                {"char", DType::String},
                                                {"name", DType::String}}};
  for (const Entry& entry : types) {
    if (entry.name == type) return entry.dtype;
  }
  return std::nullopt;
}

// The base type of a domain stands for it: values come as the base type's.
const char* const kColumnsQuery =
    "SELECT a.attname, format_type(a.atttypid, a.atttypmod), b.typname, "
    "b.typcategory = 'A', col_description(a.attrelid, a.attnum) "
    "FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid "
    "JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END "
    "WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

PgColumn column_of(const PgRow& row) {
  PgColumn column;
  column.info.name = *row[0];
  column.info.description = row[4].value_or("");
  column.sql_type = *row[1];
  std::string_view type = *row[2];
  if (row[3] == "t") {
    column.shape = PgShape::Varying;
    if (type.starts_with('_')) type.remove_prefix(1);
  }
  column.is_padded = type == "bpchar";
  if (const auto dtype = dtype_of_type(type)) {
    column.info.dtype = *dtype;
  } else {
    column.trouble = fmt::format("type {} has no counterpart in FITS", column.sql_type);
  }
  return column;
}

// Arrays whose lengths in the first rows are one and the same become Fixed.
void measure_arrays(PgConnection& connection, const PgTable& table,
                    std::vector<PgColumn>& columns) {
  std::vector<PgColumn*> arrays;
  std::string lengths, names;
  for (PgColumn& column : columns) {
    if (column.shape != PgShape::Varying || !column.trouble.empty()) continue;
    const std::string name = quote_identifier(column.info.name);
    lengths += fmt::format("{0}min(cardinality({1})), max(cardinality({1})), max(array_ndims({1}))",
                           arrays.empty() ? "" : ", ", name);
    names += (arrays.empty() ? "" : ", ") + name;
    arrays.push_back(&column);
  }
  if (arrays.empty()) return;
  const std::vector<PgRow> rows =
      connection.query(fmt::format("SELECT {} FROM (SELECT {} FROM {} LIMIT {}) sample", lengths,
                                   names, table.sql(), kSampleRows));
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const auto& least = rows[0][3 * i];
    const auto& most = rows[0][3 * i + 1];
    const auto& dimensions = rows[0][3 * i + 2];
    if (dimensions && *dimensions != "1") {
      arrays[i]->trouble = fmt::format("its arrays have {} dimensions", *dimensions);
    } else if (least && least == most && *most != "0") {
      arrays[i]->shape = PgShape::Fixed;
      std::from_chars(most->data(), most->data() + most->size(), arrays[i]->info.width);
    }
  }
}

}  // namespace

std::string quote_identifier(std::string_view name) {
  return doubled(name, '"');
}

// Backslashes are plain: standard_conforming_strings has been on since PostgreSQL 9.1.
std::string quote_literal(std::string_view text) {
  return doubled(text, '\'');
}

PgTable PgTable::parse(std::string_view option) {
  std::string_view rest = option;
  PgTable table{.schema = "", .name = take_part(rest)};
  if (!table.name.empty() && rest.starts_with('.')) {
    rest.remove_prefix(1);
    table.schema = std::exchange(table.name, take_part(rest));
  }
  if (table.name.empty() || !rest.empty()) {
    throw UsageError(
        fmt::format("'{}' is no name of a table; write schema.table, parts with capitals or other "
                    "signs in double quotes",
                    option));
  }
  return table;
}

std::string PgTable::sql() const {
  return schema.empty() ? quote_identifier(name)
                        : quote_identifier(schema) + "." + quote_identifier(name);
}

std::vector<PgColumn> columns_of(PgConnection& connection, const PgTable& table) {
  const std::vector<std::string> name{table.sql()};
  std::vector<PgColumn> columns;
  for (const PgRow& row : connection.query(kColumnsQuery, name)) {
    columns.push_back(column_of(row));
  }
  measure_arrays(connection, table, columns);
  return columns;
}

}  // namespace qsohost::inline v1
