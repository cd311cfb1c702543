#include "run/run_db.hpp"

#include <sqlite3.h>

#include <charconv>

#include "base/fnv.hpp"
#include "base/sqlite.hpp"
#include "qsohost/context.hpp"
#include "qsohost/error.hpp"

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

std::string digest_of(std::string_view ids) {
  return fmt::format("{:016x}", fnv1a(ids));
}

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

namespace {

void insert_inputs(SQLite::Database& db, const std::vector<Input>& inputs) {
  SQLite::Statement insert(db, "INSERT INTO input VALUES(?, ?, ?)");
  for (std::uint64_t i = 0; i < inputs.size(); ++i) {
    step(insert, i, inputs[i].name, inputs[i].state);
  }
}

void write_stage(SQLite::Database& db, const BatchRecord& batch, std::size_t stage) {
  const StageRecord& s = batch.stages[stage];
  const std::uint64_t i = stage;
  step(db, "INSERT INTO stage_batch VALUES(?, ?, ?, ?, ?, ?)", batch.ordinal, i, s.objects_in,
       s.objects_out, s.epochs_in, s.epochs_out);
  SQLite::Statement count(db, "INSERT INTO counted VALUES(?, ?, ?, ?, ?, ?)");
  std::uint64_t position = 0;
  for (const Counts::Entry& e : s.counts) {
    step(count, batch.ordinal, i, position++, e.item, e.what, static_cast<std::uint64_t>(e.n));
  }
  SQLite::Statement object(
      db,
      "INSERT INTO object VALUES(?, ?, ?, ?, ?, ?, ?, 1, datetime('now'), ?) "
      "ON CONFLICT(stage, source_id, ordinal, nth) DO UPDATE SET "
      "outcome=excluded.outcome, reason=excluded.reason, epochs=excluded.epochs, "
      "detail=excluded.detail, attempts=attempts+1, updated=excluded.updated");
  // Two quasars may match one source; each has its own outcome.
  std::map<std::string_view, std::uint64_t> times;
  for (const ObjectRecord& o : s.objects) {
    step(object, i, o.source_id, batch.ordinal, static_cast<std::uint64_t>(o.outcome), o.reason,
         o.epochs, o.detail, times[o.source_id]++);
  }
}

}  // namespace

void RunDb::begin(const std::vector<std::string>& effective, const std::vector<Input>& inputs) {
  db_->change([&](SQLite::Database& db) {
    SQLite::Statement insert(db, "INSERT INTO effective(line, text) VALUES(?, ?)");
    for (std::uint64_t i = 0; i < effective.size(); ++i) step(insert, i, effective[i]);
    insert_inputs(db, inputs);
    db.exec("INSERT INTO meta VALUES('begun', datetime('now'))");
  });
}

std::vector<std::string> RunDb::effective() const {
  return db_->use([&](SQLite::Database& db) {
    std::vector<std::string> lines;
    SQLite::Statement select(db, "SELECT text FROM effective ORDER BY line");
    while (select.executeStep()) lines.push_back(text(select, 0));
    return lines;
  });
}

std::vector<Input> RunDb::inputs() const {
  return db_->use([&](SQLite::Database& db) {
    std::vector<Input> inputs;
    SQLite::Statement select(db, "SELECT name, state FROM input ORDER BY position");
    while (select.executeStep()) inputs.push_back({text(select, 0), text(select, 1)});
    return inputs;
  });
}

std::map<std::uint64_t, LedgerBatch> RunDb::batches() const {
  return db_->use([&](SQLite::Database& db) {
    std::map<std::uint64_t, LedgerBatch> out;
    SQLite::Statement select(
        db,
        "SELECT ordinal, attempt, first_object, objects, digest, committed IS NOT NULL "
        "FROM batch");
    while (select.executeStep()) {
      out.emplace(integer(select, 0),
                  LedgerBatch{integer(select, 1), integer(select, 2), integer(select, 3),
                              text(select, 4), integer(select, 5) != 0});
    }
    return out;
  });
}

std::string RunDb::ids_of(std::uint64_t ordinal) const {
  return db_->use([&](SQLite::Database& db) -> std::string {
    SQLite::Statement select(db, "SELECT ids FROM batch WHERE ordinal=?");
    if (!step(select, ordinal)) return {};
    return text(select, 0);
  });
}

std::map<std::uint64_t, std::uint64_t> RunDb::objects_in(std::size_t stage) const {
  return db_->use([&](SQLite::Database& db) {
    std::map<std::uint64_t, std::uint64_t> out;
    SQLite::Statement select(
        db,
        "SELECT ordinal, objects_in FROM stage_batch JOIN batch USING(ordinal) "
        "WHERE stage=? AND committed IS NOT NULL");
    bind_values(select, std::uint64_t{stage});
    while (select.executeStep()) out.emplace(integer(select, 0), integer(select, 1));
    return out;
  });
}

void RunDb::set_meta(const std::string& key, const std::string& value) {
  db_->use([&](SQLite::Database& db) {
    step(db, "INSERT OR REPLACE INTO meta VALUES(?, ?)", key, value);
  });
}

void RunDb::note_start() {
  db_->use([&](SQLite::Database& db) {
    db.exec("INSERT OR REPLACE INTO meta VALUES('started', datetime('now'))");
    db.exec("DELETE FROM meta WHERE key='error'");
  });
}

std::optional<std::string> RunDb::meta(const std::string& key) const {
  return db_->use([&](SQLite::Database& db) -> std::optional<std::string> {
    SQLite::Statement select(db, "SELECT value FROM meta WHERE key=?");
    if (!step(select, key)) return std::nullopt;
    return text(select, 0);
  });
}

std::optional<std::uint64_t> RunDb::number(const std::string& key) const {
  const std::optional<std::string> text = meta(key);
  if (!text) return std::nullopt;
  std::uint64_t number = 0;
  const char* const end = text->data() + text->size();
  const auto read = std::from_chars(text->data(), end, number);
  if (read.ec == std::errc() && read.ptr == end) return number;
  return db_->use([&](SQLite::Database&) -> std::uint64_t {
    throw SQLite::Exception(fmt::format("'{}' is '{}', no number", key, *text), SQLITE_CORRUPT);
  });
}

std::uint64_t RunDb::committed_objects() const {
  return db_->use([&](SQLite::Database& db) {
    SQLite::Statement select(
        db, "SELECT coalesce(sum(objects), 0) FROM batch WHERE committed IS NOT NULL");
    select.executeStep();
    return integer(select, 0);
  });
}

std::set<std::uint64_t> RunDb::unsettled(std::size_t fetcher) const {
  return db_->use([&](SQLite::Database& db) {
    std::set<std::uint64_t> out;
    SQLite::Statement select(
        db, "SELECT DISTINCT ordinal FROM object WHERE stage=? AND outcome IN (?, ?)");
    bind_values(select, std::uint64_t{fetcher}, static_cast<std::uint64_t>(Outcome::Failed),
                static_cast<std::uint64_t>(Outcome::BadObject));
    while (select.executeStep()) out.insert(integer(select, 0));
    return out;
  });
}

void RunDb::commit(const BatchRecord& batch) {
  db_->change([&](SQLite::Database& db) {
    for (const char* sql :
         {"DELETE FROM stage_batch WHERE ordinal=?", "DELETE FROM counted WHERE ordinal=?",
          // Rows that are no longer bad at a fitter are dropped below; the attempts of fetched
          // objects are kept.
          "UPDATE object SET outcome=NULL WHERE ordinal=?"}) {
      step(db, sql, batch.ordinal);
    }
    step(db, "INSERT OR REPLACE INTO batch VALUES(?, ?, ?, ?, ?, ?, datetime('now'))",
         batch.ordinal, batch.attempt, batch.first_object, batch.objects, digest_of(batch.ids),
         Blob{batch.ids});
    for (std::size_t i = 0; i < batch.stages.size(); ++i) write_stage(db, batch, i);
    step(db, "DELETE FROM object WHERE ordinal=? AND outcome IS NULL", batch.ordinal);
  });
}

void RunDb::reopen(const std::set<std::uint64_t>& ordinals) {
  db_->change([&](SQLite::Database& db) {
    SQLite::Statement batch(db, "UPDATE batch SET committed=NULL WHERE ordinal=?");
    for (const std::uint64_t ordinal : ordinals) step(batch, ordinal);
    db.exec("DELETE FROM meta WHERE key IN ('finished', 'complete')");
  });
}

void RunDb::note_fetched(std::uint64_t ordinal, bool is_settled) {
  db_->change([&](SQLite::Database& db) {
    step(db, "INSERT OR REPLACE INTO fetched VALUES(?, ?)", ordinal, std::uint64_t{is_settled});
  });
}

std::set<std::uint64_t> RunDb::fetched(bool only_settled) const {
  return db_->use([&](SQLite::Database& db) {
    std::set<std::uint64_t> ordinals;
    SQLite::Statement select(db, "SELECT ordinal FROM fetched WHERE is_settled >= ?");
    select.bind(1, only_settled ? 1 : 0);
    while (select.executeStep()) ordinals.insert(integer(select, 0));
    return ordinals;
  });
}

void RunDb::set_inputs(const std::vector<Input>& inputs) {
  db_->change([&](SQLite::Database& db) {
    db.exec("DELETE FROM input");
    insert_inputs(db, inputs);
    db.exec("DELETE FROM meta WHERE key IN ('source end', 'source size')");
  });
}

void RunDb::accept_inputs(const std::vector<Input>& inputs, const std::set<std::uint64_t>& dropped,
                          const std::set<std::uint64_t>& kept) {
  db_->change([&](SQLite::Database& db) {
    db.exec("DELETE FROM input");
    insert_inputs(db, inputs);
    // After all existing ordinals, including the dropped ones, whose chunks must not be reused.
    db.exec(
        "INSERT OR REPLACE INTO meta SELECT 'by identifier', coalesce(max(ordinal), -1) + 1 "
        "FROM batch");
    for (const char* table : {"batch", "stage_batch", "counted", "object", "fetched"}) {
      const std::string sql = fmt::format("DELETE FROM {} WHERE ordinal=?", table);
      SQLite::Statement forget(db, sql);
      for (const std::uint64_t ordinal : dropped) step(forget, ordinal);
    }
    SQLite::Statement keep(db, "UPDATE batch SET committed=datetime('now') WHERE ordinal=?");
    for (const std::uint64_t ordinal : kept) step(keep, ordinal);
    db.exec("DELETE FROM meta WHERE key IN ('finished', 'complete', 'source end', 'source size')");
  });
}

void RunDb::set_products(const std::vector<ProductRecord>& products) {
  db_->change([&](SQLite::Database& db) {
    SQLite::Statement insert(db, "INSERT OR REPLACE INTO product VALUES(?, ?, ?)");
    for (const ProductRecord& product : products) {
      step(insert, product.path, product.now, product.before);
    }
  });
}

void RunDb::forget_product(const std::string& path) {
  db_->use([&](SQLite::Database& db) { step(db, "DELETE FROM product WHERE path=?", path); });
}

void RunDb::discard() {
  db_->change([&](SQLite::Database& db) {
    for (const char* table : {"effective", "input", "product", "batch", "stage_batch", "counted",
                              "object", "fetched"}) {
      db.exec(fmt::format("DELETE FROM {}", table));
    }
    db.exec("DROP TABLE IF EXISTS answer");
    db.exec("DELETE FROM meta WHERE key NOT IN ('run id', 'inode')");
  });
}

void RunDb::finish() {
  db_->use([&](SQLite::Database& db) {
    db.exec("INSERT OR REPLACE INTO meta VALUES('finished', datetime('now'))");
  });
}

bool RunDb::is_finished() const {
  return db_->use(
      [&](SQLite::Database& db) { return step(db, "SELECT 1 FROM meta WHERE key='finished'"); });
}

std::vector<ProductRecord> RunDb::products() const {
  return db_->use([&](SQLite::Database& db) {
    std::vector<ProductRecord> out;
    SQLite::Statement select(db, "SELECT path, now, before FROM product ORDER BY path");
    while (select.executeStep()) out.push_back({text(select, 0), text(select, 1), text(select, 2)});
    return out;
  });
}

}  // namespace qsohost::inline v1
