#include <fmt/format.h>

#include <array>
#include <cctype>

#include "postgres/libpq.hpp"
#include "qsohost/error.hpp"
#include "qsohost/postgres.hpp"

namespace qsohost::inline v1 {

namespace {

constexpr std::size_t kSampleRows = 1000;
constexpr const char* kInteger = "int8";

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

// Domains are replaced by their base types, perhaps in several steps: values come as these. Types
// of the same names in other schemas are others.
const char* const kColumnsQuery =
    "WITH RECURSIVE base AS (SELECT attnum, atttypid AS type, atttypmod AS typmod "
    "FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped "
    "UNION ALL SELECT b.attnum, t.typbasetype, t.typtypmod FROM base b JOIN pg_type t "
    "ON t.oid = b.type AND t.typtype = 'd') "
    "SELECT a.attname, format_type(a.atttypid, a.atttypmod), "
    "CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN t.typname ELSE '' END, "
    "t.typcategory = 'A', t.typtype IN ('c', 'p'), "
    // The digits and the decimals of numeric(digits, decimals), as PostgreSQL stores them.
    "CASE WHEN b.typmod > 4 THEN (b.typmod - 4) >> 16 END, "
    "CASE WHEN b.typmod > 4 THEN (b.typmod - 4) & 2047 END, "
    "col_description(a.attrelid, a.attnum) "
    "FROM pg_attribute a JOIN base b USING (attnum) JOIN pg_type t ON t.oid = b.type "
    "WHERE a.attrelid = $1::regclass AND t.typtype <> 'd' ORDER BY a.attnum";

using ColumnRow = std::tuple<std::string, std::string, std::string, bool, bool, std::optional<int>,
                             std::optional<int>, std::optional<std::string>>;

std::vector<ColumnRow> column_rows(PgTransaction& transaction, const PgTable& table) {
  const std::vector<std::string> name{table.sql()};
  return transaction.query<std::string, std::string, std::string, bool, bool, std::optional<int>,
                           std::optional<int>, std::optional<std::string>>(kColumnsQuery, name);
}

// Without a type of ours of its own: what the column can be cast to, or why it cannot be taken.
void take_by_cast(std::string_view type, bool is_array, bool is_composite, bool is_small_integer,
                  PgColumn& column) {
  if (is_array) {
    column.trouble = fmt::format(
        "arrays of this type ({}) are not read; a view that casts them, ::float8[] or "
        "::text[], can be",
        column.sql_type);
  } else if (is_composite) {
    column.trouble = fmt::format("{} has several fields; a view with these as columns can be read",
                                 column.sql_type);
  } else if (type == "bytea") {
    column.trouble = "bytea is no text; a view with encode(..., 'hex') can be read";
  } else if (type == "numeric") {
    column.info.dtype = is_small_integer ? DType::I64 : DType::F64;
    column.cast = is_small_integer ? kInteger : "float8";
  } else {
    column.info.dtype = DType::String;
    column.cast = "text";
  }
}

PgColumn column_of(const ColumnRow& row) {
  const auto& [name, sql_type, base_type, is_array, is_composite, digits, decimals, description] =
      row;
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
    constexpr int kMostDigits = 18;  // of which every number fits in 64 bits
    const bool is_small_integer = digits && *digits <= kMostDigits && decimals == 0;
    take_by_cast(type, is_array, is_composite, is_small_integer, column);
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

std::string PgColumn::value_of(const std::string& name) const {
  if (cast.empty()) return name;
  // No integer can be NaN, but numeric can.
  return cast == kInteger ? fmt::format("nullif({}, 'NaN')::int8", name)
                          : fmt::format("{}::{}", name, cast);
}

std::vector<PgColumn> columns_of(PgTransaction& transaction, const PgTable& table) {
  std::vector<PgColumn> columns;
  for (const ColumnRow& row : column_rows(transaction, table)) columns.push_back(column_of(row));
  measure_arrays(transaction, table, columns);
  return columns;
}

std::string hidden_rows_warning(PgTransaction& transaction, const PgTable& table) {
  const std::vector<std::string> name{table.sql()};
  const auto roles = transaction.query<std::string>(
      "SELECT current_user WHERE row_security_active($1::regclass)", name);
  if (roles.empty()) return {};
  return fmt::format(
      "row-level security is active on {} for role '{}': rows that its policies hide, perhaps all "
      "of them, count as not there",
      table.sql(), std::get<0>(roles[0]));
}

}  // namespace qsohost::inline v1
