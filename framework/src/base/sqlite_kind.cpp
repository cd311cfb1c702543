#include "base/sqlite_kind.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <string>
#include <vector>

namespace qsohost::inline v1 {

namespace {

// Reading all of a larger file at every start would take too long (1 GB: about a second if it is
// in memory, and ten from a disk); damage there is met when the run comes upon it.
constexpr std::uintmax_t kMostChecked = 256U << 20;

std::int64_t number_of(SqliteFile& file, const char* sql) {
  return file.use([&](SQLite::Database& db) { return db.execAndGet(sql).getInt64(); });
}

std::vector<std::string> tables_of(SQLite::Database& db) {
  std::vector<std::string> names;
  SQLite::Statement table(db, "SELECT name FROM sqlite_master WHERE type='table' ORDER BY name");
  while (table.executeStep()) names.push_back(text(table, 0));
  return names;
}

void require_tables(SqliteFile& file, const SqliteKind& kind) {
  SqliteFile whole("", 0);
  whole.use([&](SQLite::Database& db) { db.exec(kind.schema); });
  const std::vector<std::string> there = file.use(tables_of);
  for (const std::string& name : whole.use(tables_of)) {
    if (!std::ranges::binary_search(there, name))
      file.refuse(fmt::format("no such table: {}; a {} must have it", name, kind.what));
  }
}

}  // namespace

void mark(SQLite::Database& db, const SqliteKind& kind) {
  db.exec(fmt::format("PRAGMA application_id={}", kind.application_id));
  db.exec(fmt::format("PRAGMA user_version={}", kind.format));
}

void require_kind(SqliteFile& file, const SqliteKind& kind) {
  const std::int64_t id = number_of(file, "PRAGMA application_id");
  if (id == kind.application_id) {
    const std::int64_t format = number_of(file, "PRAGMA user_version");
    if (format == kind.format) return require_tables(file, kind);
    throw UsageError(fmt::format(
        "{}: the {} of {} version of qsohost (format {}, and this one knows {}); go on with that "
        "version, or {}",
        file.name(), kind.what, format > kind.format ? "a newer" : "an earlier", format,
        kind.format, kind.instead));
  }
  if (number_of(file, "SELECT count(*) FROM sqlite_master") == 0) {
    throw RunError(
        fmt::format("{}: the file is empty, and no {} any more; restore it from a copy, or {}",
                    file.name(), kind.what, kind.anew));
  }
  throw UsageError(fmt::format(
      "{}: a database of another program (application_id {}, a {} has {}); move it away, or {}",
      file.name(), id, kind.what, kind.application_id, kind.instead));
}

void require_whole(SqliteFile& file) {
  if (std::filesystem::file_size(file.name()) > kMostChecked) return;
  file.use([](SQLite::Database& db) {
    const std::string found = db.execAndGet("PRAGMA quick_check(1)").getString();
    if (found != "ok") throw SQLite::Exception(found, SQLITE_CORRUPT);
  });
}

}  // namespace qsohost::inline v1
