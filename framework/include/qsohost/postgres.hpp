// PostgreSQL for sources and fetchers: connecting, column lists, binary COPY in both directions,
// and trying again. A library of its own, qsohost::postgres, which plugins that need it link; the
// framework itself knows no database.
//
// It is libpq throughout. libpqxx 6.4 would bring transactions and quoting, but it has no binary
// COPY, and its exec() blocks: another thread could cancel it, but not when the network is silent.
// Its usual connection reconnects by itself, which loses a snapshot or a temporary table in
// silence.
//
// Errors: TryAgain for what may work a minute later (connection lost or refused, server starting or
// shutting down, out of resources: SQLSTATE 08, 53, 57P, 40), and when the user wants to stop;
// RunError for what will not (wrong password, no such table or column, no rights), with what to
// do. No message holds a password.
//
// Protocol: https://www.postgresql.org/docs/15/sql-copy.html (binary format),
// https://www.postgresql.org/docs/15/errcodes-appendix.html.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "qsohost/column.hpp"
#include "qsohost/error.hpp"

struct pg_conn;
struct pg_result;

namespace qsohost::inline v1 {

// A connection string ("host=... dbname=..."), a URI ("postgresql://..."), or one word, which is
// the name of a service in ~/.pg_service.conf; "": as the environment (PGHOST, ...) says. Throws
// RunError if it is none of these or holds a password: chain files are stored and shown, so
// passwords come from ~/.pgpass, PGPASSWORD or the service file alone. Opens nothing.
void check_dsn(const std::string& dsn);

using PgRow = std::vector<std::optional<std::string>>;  // cells as text; none for NULL

// One session. One thread at a time.
class PgConnection {
 public:
  // `stop`: asked ten times a second while connecting, waiting and sending; true cancels what the
  // server is doing for us, and TryAgain is thrown: within two seconds, whatever the network does.
  PgConnection(const std::string& dsn, std::function<bool()> stop);
  ~PgConnection();  // cancels what still runs; waits no longer than that
  PgConnection(PgConnection&&) noexcept;
  PgConnection& operator=(PgConnection&&) = delete;

  // One statement; $1, $2, ... stand for `parameters`, texts.
  std::vector<PgRow> query(const std::string& sql, std::span<const std::string> parameters = {});

 private:
  friend class PgCopyOut;
  friend class PgCopyIn;
  struct Close {
    void operator()(pg_conn* connection) const;
  };
  using Result = std::unique_ptr<pg_result, void (*)(pg_result*)>;
  Result send(const std::string& sql, std::span<const std::string> parameters);
  Result next_result();
  void finish_failed();
  void check_stop();
  void wait(bool for_writing);  // a tenth of a second at most
  void flush();
  void cancel() noexcept;
  [[noreturn]] void fail();

  std::unique_ptr<pg_conn, Close> connection_;
  std::function<bool()> stop_;
  bool is_cancelled_ = false;  // the statement that runs, if one does
};

std::string quote_identifier(std::string_view name);  // "a""b"
std::string quote_literal(std::string_view text);     // 'it''s'

// "schema.table" or "table", either part perhaps in double quotes, as an option gives it. Unquoted
// parts are folded to lower case, as in SQL.
struct PgTable {
  std::string schema;  // "": found by the search path
  std::string name;

  static PgTable parse(std::string_view option);  // throws RunError
  std::string sql() const;                        // quoted
};

// How the values of a column come: one a row, as many a row as info.width says, or any number.
enum class PgShape : std::uint8_t { Scalar, Fixed, Varying };

struct PgColumn {
  ColumnInfo info;       // name as in the database; description from COMMENT ON COLUMN
  std::string sql_type;  // as the server spells it: "double precision[]"
  PgShape shape = PgShape::Scalar;
  bool is_padded = false;  // char(n): blanks at the end are none of the value
  std::string trouble{};   // why it cannot be taken; empty if it can
};

// The columns of a table, materialised view or view in ordinal order. bool, int2, int4, int8,
// float4, float8, text, varchar, char(n), "char", name, domains over them, and one-dimensional
// arrays of these. The database does not say how long arrays are: one whose first thousand rows
// have one length is Fixed. Throws RunError if there is no such table.
std::vector<PgColumn> columns_of(PgConnection& connection, const PgTable& table);

// Rows of one column; the form of FitsCells.
struct PgCells {
  Column values;                       // NULL is null, NaN is NaN
  std::vector<std::uint64_t> lengths;  // one a row if Varying, empty otherwise
};

// Decodes a binary COPY stream.
class PgCopyReader {
 public:
  // `columns`: those of the stream. `more` appends bytes to the buffer, of the stream from its
  // first; false (with nothing appended) at its end.
  PgCopyReader(std::vector<PgColumn> columns, std::function<bool(std::string&)> more);

  const std::vector<PgColumn>& columns() const { return columns_; }
  // The next rows, up to `most`, a PgCells each column; without rows at the end of the stream.
  // Throws RunError for a stream that is cut or of other columns, and for an array of another
  // length than a Fixed column has; it names the column.
  std::vector<PgCells> next(std::size_t most);

 private:
  bool need(std::size_t bytes);
  void read_header();
  bool next_row();  // the whole of it in the buffer; false at the end
  std::vector<PgColumn> columns_;
  std::function<bool(std::string&)> more_;
  std::string buffer_;
  std::size_t at_ = 0;   // in the buffer: beginning of the row
  std::size_t end_ = 0;  // and its end
  std::uint64_t row_ = 0;
  bool is_begun_ = false;
  bool is_done_ = false;
};

// COPY (query) TO STDOUT (FORMAT binary): the stream as it comes.
class PgCopyOut {
 public:
  PgCopyOut(PgConnection& connection, const std::string& query);
  // Appends what has come, at least a row and some hundred kB at most. False at the end.
  bool next(std::string& buffer);

 private:
  PgConnection& connection_;
};

// COPY table(columns) FROM STDIN (FORMAT binary), for keys: bigint and text columns.
class PgCopyIn {
 public:
  PgCopyIn(PgConnection& connection, const std::string& table_and_columns);
  void begin_row(std::int16_t fields);
  void put(std::int64_t value);      // bigint
  void put(std::string_view value);  // text
  void finish();                     // without it the server gets nothing

 private:
  void flush();
  PgConnection& connection_;
  std::string buffer_;
};

// Waits between attempts grow from `first` to `longest` seconds, doubling, each up to a half
// shorter by chance, so that many clients do not come back together.
struct PgRetry {
  int attempts = 6;
  double first = 0.5;
  double longest = 30;
};

// Counts attempts that failed.
class PgPatience {
 public:
  // `warn` is told of every failure and how long the wait is.
  PgPatience(PgRetry retry, std::function<bool()> stop,
             std::function<void(const std::string&)> warn);
  // After a TryAgain with this message: waits, or throws RunError when it was the last attempt,
  // or TryAgain when the user wants to stop.
  void failed(const std::string& message);
  void progressed() { failures_ = 0; }
  // Calls `work` until it does not throw TryAgain.
  template <class F>
  auto run(const F& work) {
    for (;;) {
      std::string message;
      try {
        return work();
      } catch (const TryAgain& e) {
        message = e.what();
      }
      failed(message);
    }
  }

 private:
  PgRetry retry_;
  std::function<bool()> stop_;
  std::function<void(const std::string&)> warn_;
  int failures_ = 0;
};

}  // namespace qsohost::inline v1
