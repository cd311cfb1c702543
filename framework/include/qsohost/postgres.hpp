// PostgreSQL for sources and fetchers: connecting, column lists, binary COPY in both directions,
// and retries. A separate library, qsohost::postgres, which plugins that need it link; the
// framework itself does not depend on a database.
//
// Transactions, statements and rows are libpqxx's. Connecting, cancelling and binary COPY use
// libpq: libpqxx has no binary COPY, and its connecting cannot be stopped. A lost session is never
// reopened silently, because its snapshot and its temporary tables would be missing.
//
// Errors: TryAgain for what may work a minute later (connection lost or refused, server starting or
// shutting down, out of resources: SQLSTATE 08, 53, 57P, 40), and when the user wants to stop;
// RunError for what will not (wrong password, no such table or column, no rights), with advice. No
// message contains a password.
//
// Protocol: https://www.postgresql.org/docs/15/sql-copy.html (binary format),
// https://www.postgresql.org/docs/15/errcodes-appendix.html.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "qsohost/column.hpp"
#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

// A connection string ("host=... dbname=..."), a URI ("postgresql://..."), or one word, which is
// the name of a service in ~/.pg_service.conf; "": from the environment (PGHOST, ...). Throws
// RunError if it is none of these or holds a password: chain files are stored and shown, so
// passwords come only from ~/.pgpass, PGPASSWORD or the service file. Opens nothing.
void check_dsn(const std::string& dsn);

class PgSession;
class PgCopyStream;
struct PgResult;

// One session. One thread at a time uses it and its transaction.
class PgConnection {
 public:
  // `stop`: called ten times a second while connecting, waiting and sending, by the thread that
  // waits; it must not throw. True cancels the running statement and throws TryAgain: within two
  // seconds, whatever the network does.
  PgConnection(const std::string& dsn, std::function<bool()> stop);
  PgConnection(PgConnection&&) noexcept = default;
  PgConnection& operator=(PgConnection&&) = delete;

 private:
  friend class PgTransaction;
  std::shared_ptr<PgSession> session_;
};

enum class PgAccess : std::uint8_t {
  Snapshot,   // repeatable read, and read only
  ReadWrite,  // read committed
};

// The cells of a result, for PgTransaction::query(). T: bool, int, std::int64_t, double,
// std::string, or std::optional of one of these.
std::size_t pg_rows(const PgResult& result);
void pg_check_columns(const PgResult& result, std::size_t columns);
template <class T>
T pg_cell(const PgResult& result, std::size_t row, std::size_t column);

// Changes take effect once commit() has returned. One at a time per connection. The session stays
// open as long as its connection object or a transaction lives.
class PgTransaction {
 public:
  PgTransaction(PgConnection& connection, PgAccess access);
  ~PgTransaction();  // rolls back unless committed: within half a second, or the session is closed
  PgTransaction(PgTransaction&&) noexcept;
  PgTransaction& operator=(PgTransaction&&) = delete;

  // One statement; $1, $2, ... stand for `parameters`, texts. After a failure the transaction
  // accepts no other.
  void execute(const std::string& sql, std::span<const std::string> parameters = {}) {
    ask(sql, parameters);
  }
  // The rows of its result, typed: query<std::string, std::optional<double>>("SELECT ..."). Throws
  // RunError for other columns, or a NULL where it is not optional.
  template <class... Cells>
  std::vector<std::tuple<Cells...>> query(const std::string& sql,
                                          std::span<const std::string> parameters = {}) {
    const std::shared_ptr<const PgResult> result = ask(sql, parameters);
    pg_check_columns(*result, sizeof...(Cells));
    std::vector<std::tuple<Cells...>> rows;
    for (std::size_t row = 0; row < pg_rows(*result); ++row) {
      rows.push_back([&]<std::size_t... I>(std::index_sequence<I...>) {
        return std::tuple<Cells...>{pg_cell<Cells>(*result, row, I)...};
      }(std::index_sequence_for<Cells...>()));
    }
    return rows;
  }
  void commit();

 private:
  friend class PgCopyOut;
  friend class PgCopyIn;
  struct Open;
  std::shared_ptr<PgSession> session() const;  // throws RunError unless a statement can be sent
  std::shared_ptr<const PgResult> ask(const std::string& sql,
                                      std::span<const std::string> parameters);
  std::shared_ptr<PgSession> session_;
  std::unique_ptr<Open> open_;
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

// Values per row of a column: one, info.width, or any number.
enum class PgShape : std::uint8_t { Scalar, Fixed, Varying };

struct PgColumn {
  ColumnInfo info;       // name as in the database; description from COMMENT ON COLUMN
  std::string sql_type;  // as the server spells it: "double precision[]"
  PgShape shape = PgShape::Scalar;
  bool is_padded = false;  // char(n): blanks at the end are not part of the value
  std::string trouble{};   // why it cannot be read, and what to do; empty if it can
  std::string cast{};      // what its type must be cast to, to be read: "float8"; empty: as it is

  // The expression that a query must select, for `name`: the column's, quoted, with its table's.
  std::string value_of(const std::string& name) const;
};

// The columns of a table, materialised view or view in ordinal order. As they are: bool, int2,
// int4, int8, float4, float8, text, varchar, char(n), "char", name, domains over them, and
// one-dimensional arrays of these. By a cast: numeric as f64, or as i64 if it is declared with at
// most 18 digits and no decimals; enums, ranges and all other base types but bytea as text, which
// depends on settings of the session such as DateStyle and TimeZone. The database does not declare
// the length of arrays: one whose first thousand rows have the same length is Fixed. Throws
// RunError if the table does not exist.
std::vector<PgColumn> columns_of(PgTransaction& transaction, const PgTable& table);

// What to warn of if policies (row-level security) decide which rows of the table this session
// sees: the server gives no error for the others. Empty if none do.
std::string hidden_rows_warning(PgTransaction& transaction, const PgTable& table);

// Rows of one column; the form of FitsCells.
struct PgCells {
  Column values;                       // NULL is null, NaN is NaN
  std::vector<std::uint64_t> lengths;  // one a row if Varying, else empty
};

// Decodes a binary COPY stream.
class PgCopyReader {
 public:
  // `columns`: those of the stream. `more` appends the next bytes of the stream to the buffer, from
  // its beginning; false (with nothing appended) at its end.
  PgCopyReader(std::vector<PgColumn> columns, std::function<bool(std::string&)> more);

  const std::vector<PgColumn>& columns() const { return columns_; }
  // The next rows, up to `most`, as a PgCells per column; without rows at the end of the stream.
  // Throws RunError that names the column for a truncated stream, one of other columns, and an
  // array in a Fixed column whose length differs.
  std::vector<PgCells> next(std::size_t most);

 private:
  bool need(std::size_t bytes);
  void read_header();
  bool next_row();  // reads it all into the buffer; false at the end
  std::vector<PgColumn> columns_;
  std::function<bool(std::string&)> more_;
  std::string buffer_;
  std::size_t at_ = 0;   // in the buffer: beginning of the row
  std::size_t end_ = 0;  // and its end
  std::uint64_t row_ = 0;
  bool is_begun_ = false;
  bool is_done_ = false;
};

// COPY (query) TO STDOUT (FORMAT binary): the stream as it arrives. The transaction accepts no
// other statement until the stream ends or this object is destroyed, which cancels the COPY. It
// must be destroyed before the transaction is.
class PgCopyOut {
 public:
  PgCopyOut(PgTransaction& transaction, const std::string& query);
  ~PgCopyOut();
  PgCopyOut(const PgCopyOut&) = delete;
  PgCopyOut& operator=(const PgCopyOut&) = delete;
  // Appends what has arrived, at least a row and some hundred kB at most. False at the end.
  bool next(std::string& buffer);

 private:
  std::unique_ptr<PgCopyStream> stream_;
};

template <class T>
concept PgNumber =
    std::same_as<T, bool> || std::same_as<T, std::int16_t> || std::same_as<T, std::int32_t> ||
    std::same_as<T, std::int64_t> || std::same_as<T, float> || std::same_as<T, double>;

// COPY table(columns) FROM STDIN (FORMAT binary). Each value has the type of its column: boolean,
// int2, int4, int8, float4, float8, text, or a one-dimensional array of these.
class PgCopyIn {
 public:
  PgCopyIn(PgTransaction& transaction, const std::string& table_and_columns);
  ~PgCopyIn();
  PgCopyIn(const PgCopyIn&) = delete;
  PgCopyIn& operator=(const PgCopyIn&) = delete;
  void begin_row(std::int16_t fields);
  template <PgNumber T>
  void put(T value);
  void put(std::string_view value);  // UTF-8
  void put_null();
  // An array of `size` elements, which are put between these two calls.
  void begin_array(DType element, std::size_t size);
  void end_array();
  void finish();  // without it the server gets nothing

 private:
  void flush();
  std::unique_ptr<PgCopyStream> stream_;
  std::string buffer_;
  std::size_t array_ = 0;  // where one begins in the buffer
};

// Exponential back-off: waits double from `first` to `longest` seconds, each shortened at random by
// up to a half, so that many clients do not retry together.
struct PgRetry {
  int attempts = 6;
  double first = 0.5;
  double longest = 30;
};

// Counts failed attempts.
class PgPatience {
 public:
  // `warn` receives every failure and the length of the wait.
  PgPatience(PgRetry retry, std::function<bool()> stop,
             std::function<void(const std::string&)> warn);
  // After a TryAgain with this message: waits, or throws RunError after the last attempt, or
  // TryAgain when the user wants to stop.
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
