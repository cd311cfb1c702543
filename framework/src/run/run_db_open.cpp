// How run.db is made, and what is refused in its place (framework/RUN_DB.md).
#include <sqlite3.h>

#include "base/sqlite.hpp"
#include "qsohost/context.hpp"
#include "qsohost/error.hpp"
#include "run/run_db.hpp"

namespace qsohost::inline v1 {

namespace {

constexpr int kWaitMs = 10000;  // while another process has the file open

// Reading all of a larger ledger at every start would take too long (1 GB: about a second if it is
// in memory, and ten from a disk); damage there is met when the run comes upon it.
constexpr std::uintmax_t kMostChecked = 256U << 20;

const char* const kSchema = R"(
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE effective(line INTEGER PRIMARY KEY, text TEXT);
CREATE TABLE input(position INTEGER PRIMARY KEY, name TEXT, state TEXT);
CREATE TABLE product(path TEXT PRIMARY KEY, now TEXT, before TEXT) WITHOUT ROWID;
CREATE TABLE batch(
  ordinal INTEGER PRIMARY KEY, attempt INTEGER, first_object INTEGER, objects INTEGER, digest TEXT,
  ids BLOB, committed TEXT);
CREATE TABLE stage_batch(
  ordinal INTEGER, stage INTEGER, objects_in INTEGER, objects_out INTEGER, epochs_in INTEGER,
  epochs_out INTEGER, PRIMARY KEY(ordinal, stage)) WITHOUT ROWID;
CREATE TABLE counted(
  ordinal INTEGER, stage INTEGER, position INTEGER, item TEXT, what TEXT, n INTEGER,
  PRIMARY KEY(ordinal, stage, position)) WITHOUT ROWID;
CREATE TABLE object(
  stage INTEGER, source_id TEXT, ordinal INTEGER, outcome INTEGER, reason TEXT, epochs INTEGER,
  detail TEXT, attempts INTEGER, updated TEXT, nth INTEGER,
  PRIMARY KEY(stage, source_id, ordinal, nth)) WITHOUT ROWID;
CREATE TABLE fetched(ordinal INTEGER PRIMARY KEY, is_settled INTEGER);
CREATE INDEX object_ended ON object(stage, outcome, ordinal, source_id, nth);
CREATE INDEX object_batch ON object(ordinal);
)";

void make_tables(SQLite::Database& db) {
  db.exec("PRAGMA auto_vacuum=INCREMENTAL");  // answers come and go; see AnswerStore
  SQLite::Transaction transaction(db);
  db.exec(fmt::format("PRAGMA application_id={}", RunDb::kApplicationId));
  db.exec(fmt::format("PRAGMA user_version={}", RunDb::kFormat));
  db.exec(kSchema);
  transaction.commit();
}

// Under a temporary name until it is whole: a ledger that lacks its mark or its tables is damaged.
void make_ledger(const std::filesystem::path& file) {
  const std::string name = file.string();
  const std::string temporary = name + ".part";
  // SQLite would apply the journal of a ledger that was removed to the new one.
  for (const std::string& left : {temporary, name + "-wal", name + "-shm", name + "-journal"}) {
    std::error_code ignored;
    std::filesystem::remove(left, ignored);
  }
  SqliteFile(temporary, kWaitMs).use([](SQLite::Database& db) {
    db.exec("PRAGMA journal_mode=OFF");  // nothing to go back to
    make_tables(db);
  });
  publish_file(temporary, file);
}

std::int64_t number_of(SQLite::Database& db, const char* sql) {
  return db.execAndGet(sql).getInt64();
}

[[noreturn]] void refuse_version(const std::string& name, std::int64_t format) {
  throw UsageError(fmt::format(
      "{}: the ledger of a run of {} version of qsohost (format {}, and this one knows {}); go on "
      "with that version, or take another run directory (--run-dir)",
      name, format > RunDb::kFormat ? "a newer" : "an earlier", format, RunDb::kFormat));
}

// Before anything is written to the file.
void require_ledger(SqliteFile& file) {
  file.use([&](SQLite::Database& db) {
    const std::int64_t id = number_of(db, "PRAGMA application_id");
    const std::int64_t format = number_of(db, "PRAGMA user_version");
    if (id == RunDb::kApplicationId && format == RunDb::kFormat) return;
    if (id == RunDb::kApplicationId) refuse_version(file.name(), format);
    if (number_of(db, "SELECT count(*) FROM sqlite_master") == 0) {
      throw RunError(
          fmt::format("{}: the file is empty, and no ledger of a run any more; restore it from a "
                      "copy, or throw the run away (--restart)",
                      file.name()));
    }
    throw UsageError(fmt::format(
        "{}: a database of another program (application_id {}, a ledger has {}); move it away, or "
        "take another run directory (--run-dir)",
        file.name(), id, RunDb::kApplicationId));
  });
}

void require_whole(SqliteFile& file) {
  if (std::filesystem::file_size(file.name()) > kMostChecked) return;
  file.use([&](SQLite::Database& db) {
    const std::string found = db.execAndGet("PRAGMA quick_check(1)").getString();
    if (found != "ok") throw SQLite::Exception(found, SQLITE_CORRUPT);
  });
}

}  // namespace

RunDb::RunDb(const std::filesystem::path& file) {
  if (!file.empty()) {
    if (std::filesystem::exists(file)) {
      require_ledger(*SqliteFile::look_at(file, kWaitMs));
    } else {
      make_ledger(file);
    }
  }
  db_ = std::make_shared<SqliteFile>(file, kWaitMs);
  if (file.empty()) {
    db_->use(make_tables);
  } else {
    require_whole(*db_);
  }
  db_->use([&](SQLite::Database& db) {
    db.exec(journal_mode(file));
    // A committed batch is not done again, so the commit must survive a power cut.
    db.exec("PRAGMA synchronous=FULL");
    is_new_ = !step(db, "SELECT 1 FROM meta WHERE key='begun'");
  });
}

std::unique_ptr<RunDb> RunDb::look_at(const std::filesystem::path& file) {
  auto db = SqliteFile::look_at(file, kWaitMs);
  require_ledger(*db);
  return std::unique_ptr<RunDb>(new RunDb(std::move(db)));
}

}  // namespace qsohost::inline v1
