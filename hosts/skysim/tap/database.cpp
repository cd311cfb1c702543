#include "tap/database.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <set>

#include "qsohost/error.hpp"
#include "tap/adql.hpp"
#include "tap/tap_schema.hpp"

namespace qsohost::skysim {

namespace {

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

std::string_view sql_type(const TapColumn& column) {
  if (column.is_array || column.datatype == "char") return "TEXT";
  return column.datatype == "float" || column.datatype == "double" ? "REAL" : "INTEGER";
}

void bind(sqlite3_stmt* statement, int place, const TapCell& cell) {
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) {
    sqlite3_bind_int64(statement, place, *integer);
  } else if (const auto* number = std::get_if<double>(&cell)) {
    sqlite3_bind_double(statement, place, *number);  // NaN becomes null
  } else if (const auto* text = std::get_if<std::string>(&cell)) {
    sqlite3_bind_text(statement, place, text->data(), static_cast<int>(text->size()),
                      SQLITE_STATIC);
  } else {
    sqlite3_bind_null(statement, place);
  }
}

TapCell cell_of(sqlite3_stmt* statement, int place) {
  switch (sqlite3_column_type(statement, place)) {
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(statement, place)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, place);
    case SQLITE_NULL:
      return {};
    default:
      return std::string(reinterpret_cast<const char*>(sqlite3_column_text(statement, place)),
                         static_cast<std::size_t>(sqlite3_column_bytes(statement, place)));
  }
}

// SQLite's words as those of an ADQL service.
AdqlError error_of(sqlite3* database, const SqlQuery& query) {
  const std::string message = sqlite3_errmsg(database);
  const int offset = sqlite3_error_offset(database);
  for (const std::string_view missing : {"no such column: ", "no such table: "}) {
    if (!message.starts_with(missing)) continue;
    const std::string name = message.substr(missing.size());
    const std::string last = lower(name.substr(name.rfind('.') + 1));
    for (const auto& origin : query.origins) {
      if (lower(origin.token.text) == last || lower(origin.token.text) == "\"" + last + "\"") {
        return AdqlError::unresolved(origin.token);
      }
    }
    AdqlToken token = query.token_at(offset < 0 ? 0 : static_cast<std::size_t>(offset));
    token.text = name;
    return AdqlError::unresolved(token);
  }
  if (offset < 0) return AdqlError(message);
  const AdqlToken& token = query.token_at(static_cast<std::size_t>(offset));
  if (message.find("syntax error") != std::string::npos || message == "incomplete input") {
    return AdqlError::unexpected(token, "what ADQL allows here");
  }
  return AdqlError(fmt::format("{} [l.{} c.{}]", message, token.line, token.column));
}

Statement prepare(sqlite3* database, const SqlQuery& query) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(database, query.sql.data(),
                                      static_cast<int>(query.sql.size()), &statement, nullptr);
  if (code != SQLITE_OK) throw error_of(database, query);
  return Statement(statement);
}

// Undone unless it is committed.
class Transaction {
 public:
  explicit Transaction(sqlite3* database) : database_(database) { execute("BEGIN"); }
  ~Transaction() { execute("ROLLBACK"); }  // an error without a transaction
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit() { execute("COMMIT"); }

 private:
  void execute(const char* sql) { sqlite3_exec(database_, sql, nullptr, nullptr, nullptr); }
  sqlite3* database_;
};

// The type of a computed column is that of its first value.
void set_type(TapColumn& column, const TapRows& rows, std::size_t place) {
  column.datatype = "char";
  for (const auto& row : rows.rows) {
    if (std::holds_alternative<std::monostate>(row[place])) continue;
    if (std::holds_alternative<std::int64_t>(row[place])) column.datatype = "long";
    if (std::holds_alternative<double>(row[place])) column.datatype = "double";
    return;
  }
}

}  // namespace

std::string sql_name(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

void TapDatabase::Close::operator()(sqlite3* database) const {
  sqlite3_close_v2(database);
}

void TapDatabase::execute(const std::string& sql) {
  if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw RunError(fmt::format("SQLite: {}: {}", sqlite3_errmsg(database_.get()), sql));
  }
}

// SQLite keeps a database without a name in memory and, if large, in a temporary file.
TapDatabase::TapDatabase(std::vector<TapTable> tables) : tables_(std::move(tables)) {
  add_tap_schema(tables_);
  is_filled_.resize(tables_.size());
  sqlite3* database = nullptr;
  sqlite3_open_v2("", &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                  nullptr);
  database_.reset(database);
  // Otherwise a column that does not exist is taken for a text if it is in double quotes.
  sqlite3_db_config(database, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  add_geometry(database);
  execute("PRAGMA case_sensitive_like = ON; PRAGMA synchronous = OFF; ATTACH '' AS tap_upload");
  std::set<std::string> schemas;
  for (const TapTable& table : tables_) {
    if (!table.schema.empty() && schemas.insert(lower(table.schema)).second) {
      execute(fmt::format("ATTACH '' AS {}", sql_name(table.schema)));
    }
    create(table);
  }
}

void TapDatabase::create(const TapTable& table) {
  std::string columns;
  for (const TapColumn& column : table.columns) {
    columns += fmt::format("{}{} {}", columns.empty() ? "" : ", ", sql_name(column.name),
                           sql_type(column));
  }
  execute(fmt::format("CREATE TABLE {}.{} ({})",
                      sql_name(table.schema.empty() ? "main" : table.schema), sql_name(table.name),
                      columns));
}

void TapDatabase::insert_into(const TapTable& table,
                              const std::function<void(const TapInsert&)>& fill) {
  const std::string schema = sql_name(table.schema.empty() ? "main" : table.schema);
  std::string values = "?";
  for (std::size_t i = 1; i < table.columns.size(); ++i) values += ", ?";
  SqlQuery insert;
  insert.sql = fmt::format("INSERT INTO {}.{} VALUES ({})", schema, sql_name(table.name), values);
  const Statement statement = prepare(database_.get(), insert);
  Transaction transaction(database_.get());
  fill([&](std::span<const TapCell> row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      bind(statement.get(), static_cast<int>(i + 1), row[i]);
    }
    if (sqlite3_step(statement.get()) != SQLITE_DONE) {
      throw RunError(fmt::format("{}: {}", table.name, sqlite3_errmsg(database_.get())));
    }
    sqlite3_reset(statement.get());
  });
  for (const std::string& column : table.indexed) {
    execute(fmt::format("CREATE INDEX {}.{} ON {} ({})", schema,
                        sql_name(table.name + " " + column), sql_name(table.name),
                        sql_name(column)));
  }
  transaction.commit();
}

void TapDatabase::fill(const std::string& name) {
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    if (is_filled_[i] || lower(tables_[i].name) != name) continue;
    insert_into(tables_[i], tables_[i].fill);
    is_filled_[i] = true;
  }
}

void TapDatabase::upload(const std::vector<Upload>& uploads) {
  for (const Upload& upload : uploads) {
    uploaded_.push_back({"tap_upload", upload.name, "", upload.columns, {}, {}});
    create(uploaded_.back());
    insert_into(uploaded_.back(), [&](const TapInsert& insert) {
      for (const auto& row : upload.rows) insert(row);
    });
  }
}

TapColumn TapDatabase::column_of(const std::string& schema, const std::string& table,
                                 const std::string& column) const {
  for (const auto* tables : {&tables_, &uploaded_}) {
    for (const TapTable& t : *tables) {
      if (lower(t.name) != table || lower(t.schema) != schema) continue;
      const auto found = std::ranges::find(t.columns, column, &TapColumn::name);
      if (found != t.columns.end()) return *found;
    }
  }
  return {};
}

TapRows TapDatabase::query(const std::string& adql, const std::vector<Upload>& uploads,
                           std::size_t limit) {
  const SqlQuery query = to_sql(adql);
  const std::lock_guard lock(mutex_);
  for (const std::string& name : query.names()) fill(name);
  // Dropped again however the query ends.
  struct Dropper {
    TapDatabase& database;
    ~Dropper() {
      for (const TapTable& table : database.uploaded_) {
        const std::string sql = "DROP TABLE IF EXISTS tap_upload." + sql_name(table.name);
        sqlite3_exec(database.database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
      }
      database.uploaded_.clear();
    }
  } const dropper{*this};
  upload(uploads);
  const Statement statement = prepare(database_.get(), query);
  TapRows rows;
  const int count = sqlite3_column_count(statement.get());
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(statement.get())) == SQLITE_ROW) {
    if (rows.rows.size() == limit) {
      rows.is_overflow = true;
      break;
    }
    auto& row = rows.rows.emplace_back();
    for (int i = 0; i < count; ++i) row.push_back(cell_of(statement.get(), i));
  }
  if (code != SQLITE_ROW && code != SQLITE_DONE) throw error_of(database_.get(), query);
  for (int i = 0; i < count; ++i) {
    TapColumn column;
    if (const char* origin = sqlite3_column_origin_name(statement.get(), i); origin != nullptr) {
      const std::string schema = lower(sqlite3_column_database_name(statement.get(), i));
      column = column_of(schema == "main" ? "" : schema,
                         lower(sqlite3_column_table_name(statement.get(), i)), origin);
    }
    const std::string name = sqlite3_column_name(statement.get(), i);
    column.name = column.name == name && !column.shown_as.empty() ? column.shown_as : name;
    if (column.datatype.empty()) set_type(column, rows, static_cast<std::size_t>(i));
    rows.columns.push_back(std::move(column));
  }
  return rows;
}

}  // namespace qsohost::skysim
