#include <fmt/format.h>

#include <array>
#include <cctype>

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

// One part of a name, removed from the front of `rest`.
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

// Names in pg_type, without the leading "_" of array types.
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

// A domain is replaced by its base type: values come as that type.
const char* const kColumnsQuery =
    "SELECT a.attname, format_type(a.atttypid, a.atttypmod), b.typname, "
    "b.typcategory = 'A', col_description(a.attrelid, a.attnum) "
    "FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid "
    "JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END "
    "WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

using ColumnRow =
    std::tuple<std::string, std::string, std::string, bool, std::optional<std::string>>;

PgColumn column_of(const ColumnRow& row) {
  const auto& [name, sql_type, base_type, is_array, description] = row;
  PgColumn column;
  column.info.name = name;
  column.info.description = description.value_or("");
  column.sql_type = sql_type;
  std::string_view type = base_type;
  if (is_array) {
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

// Arrays that have the same length in all of the first rows become Fixed.
void measure_arrays(PgTransaction& transaction, const PgTable& table,
                    std::vector<PgColumn>& columns) {
  std::vector<PgColumn*> arrays;
  std::string names, lengths;
  for (PgColumn& column : columns) {
    if (column.shape != PgShape::Varying || !column.trouble.empty()) continue;
    const std::string name = quote_identifier(column.info.name);
    names += (arrays.empty() ? "" : ", ") + name;
    lengths += fmt::format(
        "{0}SELECT {1} AS i, min(cardinality({2})), max(cardinality({2})), max(array_ndims({2})) "
        "FROM sample",
        arrays.empty() ? "" : " UNION ALL ", arrays.size(), name);
    arrays.push_back(&column);
  }
  if (arrays.empty()) return;
  using Size = std::optional<int>;  // none: only NULLs
  const auto rows = transaction.query<int, Size, Size, Size>(
      fmt::format("WITH sample AS MATERIALIZED (SELECT {} FROM {} LIMIT {}) {} ORDER BY i", names,
                  table.sql(), kSampleRows, lengths));
  for (const auto& [i, least, most, dimensions] : rows) {
    PgColumn& array = *arrays.at(static_cast<std::size_t>(i));
    if (dimensions && *dimensions != 1) {
      array.trouble = fmt::format("its arrays have {} dimensions", *dimensions);
    } else if (least && least == most && *most != 0) {
      array.shape = PgShape::Fixed;
      array.info.width = static_cast<std::size_t>(*most);
    }
  }
}

}  // namespace

std::string quote_identifier(std::string_view name) {
  return doubled(name, '"');
}

// Backslashes are literal: standard_conforming_strings has been on since PostgreSQL 9.1.
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

std::vector<PgColumn> columns_of(PgTransaction& transaction, const PgTable& table) {
  const std::vector<std::string> name{table.sql()};
  std::vector<PgColumn> columns;
  for (const ColumnRow& row :
       transaction.query<std::string, std::string, std::string, bool, std::optional<std::string>>(
           kColumnsQuery, name)) {
    columns.push_back(column_of(row));
  }
  measure_arrays(transaction, table, columns);
  return columns;
}

}  // namespace qsohost::inline v1
