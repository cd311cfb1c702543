// Our part of SQLite files: opening, one call at a time, and every error as a RunError that names
// the file. Databases, statements and transactions are SQLiteCpp's.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

class SqliteFile {
 public:
  // To read and write; created if missing. "": in memory. Waits up to wait_ms for other writers.
  SqliteFile(const std::filesystem::path& file, int wait_ms);
  // To read only, perhaps from read-only media. Nothing is written, not even to what another
  // program has left half done. Throws RunError if it cannot be read, or is no database; both throw
  // UsageError for a folder, a device or a named pipe.
  static std::shared_ptr<SqliteFile> look_at(const std::filesystem::path& file, int wait_ms);

  const std::string& name() const { return name_; }

  // Calls `work` with the database, from any thread.
  template <class F>
  auto use(F work) {
    const std::lock_guard lock(mutex_);
    errno = 0;
    try {
      return work(db_);
    } catch (const SQLite::Exception& e) {
      throw_error(name_, e, errno);
    }
  }
  // The same in a transaction: all that `work` does, or nothing if it throws.
  template <class F>
  void change(F work) {
    use([&](SQLite::Database& db) {
      SQLite::Transaction transaction(db);
      work(db);
      transaction.commit();
    });
  }
  // For content that cannot be: throws the RunError of a damaged file.
  [[noreturn]] void refuse(const std::string& what) const;

 private:
  SqliteFile(std::string name, SQLite::Database db) : name_(std::move(name)), db_(std::move(db)) {}
  // RunError, or std::bad_alloc; `system_error`: errno.
  [[noreturn]] static void throw_error(const std::string& name, const SQLite::Exception& error,
                                       int system_error);
  std::string name_;
  SQLite::Database db_;
  std::mutex mutex_;
};

// The journal mode for a database in this folder: a write-ahead log needs memory shared by all
// processes that have it open, which network file systems do not provide.
const char* journal_mode(const std::filesystem::path& file);

// Not copied when bound: it must stay valid until the statement has been stepped.
struct Blob {
  std::string_view bytes;
};

void bind_one(SQLite::Statement& to, int position, std::uint64_t value);
void bind_one(SQLite::Statement& to, int position, const std::string& value);
void bind_one(SQLite::Statement& to, int position, const Blob& value);

// Makes the statement ready for its next execution, with these values.
template <class... T>
void bind_values(SQLite::Statement& statement, const T&... values) {
  statement.reset();
  int position = 0;
  (bind_one(statement, ++position, values), ...);
}

// Executes it once; true if it returns a row.
template <class... T>
bool step(SQLite::Statement& statement, const T&... values) {
  bind_values(statement, values...);
  return statement.executeStep();
}

template <class... T>
bool step(SQLite::Database& db, const char* sql, const T&... values) {
  SQLite::Statement statement(db, sql);
  return step(statement, values...);
}

std::uint64_t integer(const SQLite::Statement& row, int column);
std::string text(const SQLite::Statement& row, int column);  // "" for NULL; may be a blob

}  // namespace qsohost::inline v1
