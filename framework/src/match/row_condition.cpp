#include "match/row_condition.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "qsohost/error.hpp"
#include "qsohost/io/input_columns.hpp"
#include "qsohost/io/input_table.hpp"
#include "qsohost/names.hpp"

namespace qsohost::inline io_v1 {

namespace {

std::string in_quotes(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) out.append(c == '"' ? 2 : 1, c);
  return out + '"';
}

std::string_view type_of(DType dtype) {
  if (dtype == DType::String) return "TEXT";
  return dtype == DType::F32 || dtype == DType::F64 ? "REAL" : "INTEGER";
}

// Records which columns are read. Rejects everything that is not a condition on them or that varies
// between runs.
int look(void* columns, int action, const char* /*table*/, const char* name, const char* /*db*/,
         const char* /*trigger*/) {
  const std::string_view text = name == nullptr ? "" : name;
  switch (action) {
    case SQLITE_READ:
      static_cast<std::set<std::string>*>(columns)->insert(std::string(text));
      return SQLITE_OK;
    case SQLITE_SELECT:
      return SQLITE_OK;
    case SQLITE_FUNCTION:
      return text == "random" || text == "randomblob" ? SQLITE_DENY : SQLITE_OK;
    default:
      return SQLITE_DENY;
  }
}

}  // namespace

struct RowCondition::State {
  std::string file;
  std::string text;
  SQLite::Database db{":memory:", SQLite::OPEN_READWRITE};
  std::vector<std::size_t> fields;
  // Binds the values of one row, returns a row if the condition is true.
  std::optional<SQLite::Statement> row;

  [[noreturn]] void fail(std::string_view what) const {
    throw RunError(fmt::format("option 'where' = \"{}\" on {}: {}", text, file, what));
  }
  void make_table(const InputTable& table);
  SQLite::Statement prepare(const std::string& from, const std::vector<std::string>& names) const;
  std::set<std::string> columns_named(const std::vector<std::string>& names) const;
  void check_meaning(const std::vector<std::string>& names, std::size_t column) const;
  void bind(int position, const Column& column, std::size_t i);
};

// An empty table with the columns of the file, to find out from SQLite which of them the condition
// names. SQL ignores case, so of names that differ only in case it can use one.
void RowCondition::State::make_table(const InputTable& table) {
  // Without this SQLite treats a misspelt "column" in double quotes as a string.
  sqlite3_db_config(db.getHandle(), SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(db.getHandle(), SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  std::string sql;
  std::set<std::string> names;
  for (const InputColumn& field : table.columns()) {
    if (!names.insert(lower_case(field.info.name)).second) continue;
    sql += fmt::format("{}{} {}", sql.empty() ? "CREATE TABLE \"left\" (" : ", ",
                       in_quotes(field.info.name), type_of(field.info.dtype));
  }
  if (db.tryExec(sql + ")") != SQLite::OK) fail(db.getErrorMsg());
}

SQLite::Statement RowCondition::State::prepare(const std::string& from,
                                               const std::vector<std::string>& names) const {
  try {
    // The condition may end in a comment.
    return {db, fmt::format("SELECT 1 FROM {} WHERE ({}\n)", from, text)};
  } catch (const SQLite::Exception& e) {
    const std::string message = e.what();
    constexpr std::string_view unknown = "no such column: ";
    const std::string hint =
        message.starts_with(unknown)
            ? did_you_mean(message.substr(unknown.size()), names) + "; where = \"\" takes every row"
            : "";
    fail(message + hint);
  }
}

std::set<std::string> RowCondition::State::columns_named(
    const std::vector<std::string>& names) const {
  std::set<std::string> named;
  sqlite3_set_authorizer(db.getHandle(), look, &named);
  const SQLite::Statement statement = prepare("\"left\"", names);
  sqlite3_set_authorizer(db.getHandle(), nullptr, nullptr);
  if (statement.getBindParameterCount() > 0) {
    fail("it has a parameter ('?', ':' or '@'); write the value");
  }
  // SQLite compiles only the first statement of a text.
  if (statement.getExpandedSQL() != statement.getQuery()) {
    fail("it must be one condition, without ';'");
  }
  return named;
}

void RowCondition::State::check_meaning(const std::vector<std::string>& names,
                                        std::size_t column) const {
  const std::string name = lower_case(names[column]);
  for (std::size_t i = column + 1; i < names.size(); ++i) {
    if (lower_case(names[i]) != name) continue;
    fail(
        fmt::format("it could mean column '{}' or column '{}', as SQL has no case; rename one of "
                    "them in the file",
                    names[column], names[i]));
  }
}

void RowCondition::State::bind(int position, const Column& column, std::size_t i) {
  if (column.is_null(i)) {
    row->bind(position);
  } else if (column.dtype() == DType::String) {
    row->bind(position, std::string(column.strings()[i]));
  } else if (column.dtype() == DType::I64) {
    row->bind(position, column.values<std::int64_t>()[i]);
  } else if (type_of(column.dtype()) == "REAL") {
    row->bind(position, column.number(i));  // NaN becomes NULL
  } else {
    row->bind(position, static_cast<std::int64_t>(column.number(i)));
  }
}

RowCondition::RowCondition(const InputTable& table, std::string file, std::string text)
    : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.file = std::move(file);
  s.text = std::move(text);
  s.make_table(table);
  const std::vector<std::string> names = table.column_names();
  const std::set<std::string> named = s.columns_named(names);
  std::string values;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!named.contains(names[i])) continue;
    s.check_meaning(names, i);
    const InputColumn& field = table.columns()[i];
    if (!field.problem.empty()) s.fail(fmt::format("column '{}': {}", names[i], field.problem));
    if (field.is_array || field.info.width != 1) {
      s.fail(fmt::format("column '{}' holds several values a row; compare columns of single values",
                         names[i]));
    }
    s.fields.push_back(i);
    // The cast sets the type by which SQLite compares.
    values += fmt::format("{}CAST(?{} AS {}) AS {}", values.empty() ? "" : ", ", s.fields.size(),
                          type_of(field.info.dtype), in_quotes(names[i]));
  }
  s.row.emplace(s.prepare(fmt::format("(SELECT {})", values.empty() ? "1" : values), names));
}

RowCondition::~RowCondition() = default;
RowCondition::RowCondition(RowCondition&&) noexcept = default;
RowCondition& RowCondition::operator=(RowCondition&&) noexcept = default;

const std::vector<std::size_t>& RowCondition::fields() const {
  return state_->fields;
}

std::vector<std::uint8_t> RowCondition::test(const std::vector<Cells>& cells, std::size_t rows,
                                             std::uint64_t first) const {
  State& s = *state_;
  std::vector<std::uint8_t> taken(rows, 0);
  for (std::size_t i = 0; i < rows; ++i) {
    try {
      for (std::size_t k = 0; k < cells.size(); ++k) {
        s.bind(static_cast<int>(k) + 1, cells[k].values, i);
      }
      taken[i] = s.row->executeStep() ? 1 : 0;
      s.row->reset();
    } catch (const SQLite::Exception& e) {
      s.fail(fmt::format("row {}: {}", first + i + 1, e.what()));
    }
  }
  return taken;
}

}  // namespace qsohost::inline io_v1
