// Which kind of database a file is, by the mark in its header. What is no file of ours is refused
// before anything is written to it (framework/RUN_DB.md).
#pragma once

#include <cstdint>

#include "base/sqlite.hpp"

namespace qsohost::inline v1 {

struct SqliteKind {
  std::int32_t application_id;  // PRAGMA application_id
  std::int32_t format;          // PRAGMA user_version
  const char* schema;           // makes its tables
  // For messages:
  const char* what;     // "ledger of a run"
  const char* instead;  // of this file: "take another run directory (--run-dir)"
  const char* anew;     // "throw the run away (--restart)"
};

// Sets the mark. In a transaction, with the tables: then no file has one without the other.
void mark(SQLite::Database& db, const SqliteKind& kind);

// Throws RunError for a file without mark and tables, or that lacks one of the tables, and
// UsageError for one of another program or of another format.
void require_kind(SqliteFile& file, const SqliteKind& kind);
// Throws RunError if pages are damaged. A large file is not checked: it would take too long.
void require_whole(SqliteFile& file);

}  // namespace qsohost::inline v1
