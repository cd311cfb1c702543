// Statements and transactions of SQLite. Every mistake is a RunError that names the file.
#pragma once

#include <fmt/format.h>
#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

struct CloseSqlite {
  void operator()(sqlite3* db) const { sqlite3_close(db); }
};

// For sqlite3_open_v2 with SQLITE_OPEN_URI; parameters ("?mode=ro") go behind it.
inline std::string file_uri(const std::filesystem::path& file) {
  std::string uri = "file:";
  for (const char c : std::filesystem::absolute(file).string()) {
    uri += c == '?' || c == '#' || c == '%' ? fmt::format("%{:02x}", c) : std::string(1, c);
  }
  return uri;
}

struct Blob {
  std::string_view bytes;
};

// The journal mode for a database in this folder: a write-ahead log needs memory that is shared by
// all who have it open, which network file systems do not give.
const char* journal_mode(const std::filesystem::path& file);

class Statement {
 public:
  Statement(sqlite3* db, const std::string& file, const char* sql) : db_(db), file_(file) {
    check(sqlite3_prepare_v2(db, sql, -1, &statement_, nullptr));
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  template <class... T>
  Statement& bind(const T&... values) {
    check(sqlite3_reset(statement_));
    int position = 0;
    (bind_one(++position, values), ...);
    return *this;
  }
  bool step() {
    const int code = sqlite3_step(statement_);
    if (code != SQLITE_ROW && code != SQLITE_DONE) check(code);
    return code == SQLITE_ROW;
  }
  std::uint64_t integer(int column) const {
    return static_cast<std::uint64_t>(sqlite3_column_int64(statement_, column));
  }
  std::string text(int column) const {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    if (bytes == nullptr) return {};
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }
  // Good until the next step.
  std::string_view blob(int column) const {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }

 private:
  void bind_one(int position, std::uint64_t value) {
    check(sqlite3_bind_int64(statement_, position, static_cast<std::int64_t>(value)));
  }
  void bind_one(int position, const std::string& value) {
    check(sqlite3_bind_text(statement_, position, value.data(), static_cast<int>(value.size()),
                            SQLITE_TRANSIENT));
  }
  // Not copied: it must stay until the statement has been stepped.
  void bind_one(int position, const Blob& value) {
    check(sqlite3_bind_blob64(statement_, position, value.bytes.data(), value.bytes.size(),
                              SQLITE_STATIC));
  }
  void check(int code) const {
    if (code != SQLITE_OK) {
      throw RunError(fmt::format("{}: {}", file_, sqlite3_errmsg(db_)));
    }
  }

  sqlite3* db_;
  const std::string& file_;
  sqlite3_stmt* statement_ = nullptr;
};

// Rolls back unless it was committed.
class Transaction {
 public:
  Transaction(sqlite3* db, const std::string& file) : db_(db), file_(file) { execute("BEGIN"); }
  ~Transaction() {
    if (is_open_) sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit() {
    execute("COMMIT");
    is_open_ = false;
  }

 private:
  void execute(const char* sql) { Statement(db_, file_, sql).step(); }
  sqlite3* db_;
  const std::string& file_;
  bool is_open_ = true;
};

}  // namespace qsohost::inline v1
