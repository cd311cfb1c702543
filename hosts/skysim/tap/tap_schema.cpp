#include "tap/tap_schema.hpp"

#include <algorithm>
#include <memory>

namespace qsohost::skysim {

namespace {

std::vector<TapColumn> texts(std::initializer_list<const char*> names) {
  std::vector<TapColumn> columns;
  for (const char* name : names) columns.push_back({name, "char"});
  return columns;
}

TapTable columns_table() {
  TapTable table{"TAP_SCHEMA",
                 "columns",
                 "columns of all tables",
                 texts({"table_name", "column_name", "utype", "ucd", "unit", "description",
                        "datatype", "arraysize"}),
                 {},
                 {}};
  for (const char* name : {"size", "principal", "indexed", "std"}) {
    table.columns.push_back({name, "int"});
  }
  return table;
}

void insert_columns(const TapTable& table, const TapInsert& insert) {
  for (const TapColumn& column : table.columns) {
    const bool is_long = column.is_array || column.datatype == "char";
    const bool is_indexed = std::ranges::count(table.indexed, column.name) > 0;
    insert(std::vector<TapCell>{table.full_name(), column.name, TapCell{}, TapCell{}, column.unit,
                                column.description, column.datatype,
                                is_long ? TapCell(std::string("*")) : TapCell{}, TapCell{},
                                std::int64_t{0}, std::int64_t{is_indexed}, std::int64_t{0}});
  }
}

}  // namespace

std::string TapTable::full_name() const {
  const bool is_plain = name.find_first_not_of(
                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                            "0123456789_") == std::string::npos;
  const std::string spelled = is_plain ? name : "\"" + name + "\"";
  return schema.empty() ? spelled : schema + "." + spelled;
}

std::string schema_of(const TapTable& table) {
  return table.schema.empty() ? "public" : table.schema;
}

std::vector<std::string> schemas_of(const std::vector<TapTable>& tables) {
  std::vector<std::string> schemas;
  for (const TapTable& table : tables) {
    if (std::ranges::count(schemas, schema_of(table)) == 0) schemas.push_back(schema_of(table));
  }
  return schemas;
}

void add_tap_schema(std::vector<TapTable>& tables) {
  // The rows come from a copy, made once all tables are there.
  const auto all = std::make_shared<std::vector<TapTable>>();
  const auto add = [&](TapTable table, std::function<void(const TapInsert&)> fill) {
    table.fill = std::move(fill);
    tables.push_back(std::move(table));
  };
  add({"TAP_SCHEMA",
       "schemas",
       "schemas of this service",
       texts({"schema_name", "utype", "description"}),
       {},
       {}},
      [all](const TapInsert& insert) {
        for (const std::string& schema : schemas_of(*all)) {
          insert(std::vector<TapCell>{schema, TapCell{}, TapCell{}});
        }
      });
  add({"TAP_SCHEMA",
       "tables",
       "tables of this service",
       texts({"schema_name", "table_name", "table_type", "utype", "description"}),
       {},
       {}},
      [all](const TapInsert& insert) {
        for (const TapTable& table : *all) {
          insert(std::vector<TapCell>{schema_of(table), table.full_name(), std::string("table"),
                                      TapCell{}, table.description});
        }
      });
  add(columns_table(), [all](const TapInsert& insert) {
    for (const TapTable& table : *all) insert_columns(table, insert);
  });
  const auto nothing = [](const TapInsert& /*insert*/) {};
  add({"TAP_SCHEMA",
       "keys",
       "foreign keys: none",
       texts({"key_id", "from_table", "target_table", "utype", "description"}),
       {},
       {}},
      nothing);
  add({"TAP_SCHEMA",
       "key_columns",
       "columns of foreign keys: none",
       texts({"key_id", "from_column", "target_column"}),
       {},
       {}},
      nothing);
  *all = tables;
  for (TapTable& table : *all) table.fill = nullptr;  // else the copy would hold itself
}

}  // namespace qsohost::skysim
