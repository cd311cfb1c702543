// How run.db is made, and what is refused in its place (framework/RUN_DB.md).
#include "base/sqlite.hpp"
#include "base/sqlite_kind.hpp"
#include "qsohost/context.hpp"
#include "qsohost/error.hpp"
#include "run/run_db.hpp"

namespace qsohost::inline v1 {

namespace {

constexpr int kWaitMs = 10000;  // while another process has the file open

constexpr const char* kSchema = R"(
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

constexpr SqliteKind kLedger{0x51534f48,  // "QSOH"
                             4,
                             kSchema,
                             "ledger of a run",
                             "take another run directory (--run-dir)",
                             "throw the run away (--restart)"};

void make_tables(SQLite::Database& db) {
  db.exec("PRAGMA auto_vacuum=INCREMENTAL");  // answers come and go; see AnswerStore
  SQLite::Transaction transaction(db);
  mark(db, kLedger);
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

}  // namespace

RunDb::RunDb(const std::filesystem::path& file) {
  if (!file.empty()) {
    if (std::filesystem::exists(file)) {
      require_kind(*SqliteFile::look_at(file, kWaitMs), kLedger);
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
  require_kind(*db, kLedger);
  return std::unique_ptr<RunDb>(new RunDb(std::move(db)));
}

}  // namespace qsohost::inline v1
