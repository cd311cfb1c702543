#include "run/run_db.hpp"

#include "data/fnv.hpp"
#include "run/sqlite.hpp"

namespace qsohost::inline v1 {

namespace {

const char* const kSchema = R"(
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS effective(line INTEGER PRIMARY KEY, text TEXT);
CREATE TABLE IF NOT EXISTS input(position INTEGER PRIMARY KEY, name TEXT, state TEXT);
CREATE TABLE IF NOT EXISTS product(path TEXT PRIMARY KEY, now TEXT, before TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batch(
  ordinal INTEGER PRIMARY KEY, attempt INTEGER, first_object INTEGER, objects INTEGER, digest TEXT,
  ids BLOB, committed TEXT);
CREATE TABLE IF NOT EXISTS stage_batch(
  ordinal INTEGER, stage INTEGER, objects_in INTEGER, objects_out INTEGER, epochs_in INTEGER,
  epochs_out INTEGER, PRIMARY KEY(ordinal, stage)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counted(
  ordinal INTEGER, stage INTEGER, position INTEGER, item TEXT, what TEXT, n INTEGER,
  PRIMARY KEY(ordinal, stage, position)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS object(
  stage INTEGER, source_id TEXT, ordinal INTEGER, outcome INTEGER, reason TEXT, epochs INTEGER,
  detail TEXT, attempts INTEGER, updated TEXT, nth INTEGER,
  PRIMARY KEY(stage, source_id, ordinal, nth)) WITHOUT ROWID;
DROP INDEX IF EXISTS object_outcome;
CREATE INDEX IF NOT EXISTS object_ended ON object(stage, outcome, ordinal, source_id, nth);
CREATE INDEX IF NOT EXISTS object_batch ON object(ordinal);
)";

}  // namespace

std::string digest_of(std::string_view ids) {
  return fmt::format("{:016x}", fnv1a(ids));
}

RunDb::RunDb(const std::filesystem::path& file) : file_(file.string()) {
  sqlite3* db = nullptr;
  const int code = sqlite3_open(file.empty() ? ":memory:" : file.c_str(), &db);
  db_ = std::shared_ptr<sqlite3>(db, CloseSqlite());
  if (code != SQLITE_OK) {
    throw RunError(fmt::format("{}: {}", file_, sqlite3_errmsg(db)));
  }
  sqlite3_busy_timeout(db, 10000);
  execute("PRAGMA auto_vacuum=INCREMENTAL");  // answers come and go; see AnswerStore
  execute(journal_mode(file));
  // A committed batch is not done again, so the commit must survive a power cut.
  execute("PRAGMA synchronous=FULL");
  execute(kSchema);
  is_new_ = !Statement(db, file_, "SELECT 1 FROM meta WHERE key='begun'").step();
}

std::unique_ptr<RunDb> RunDb::look_at(const std::filesystem::path& file) {
  // Without write access to its folder SQLite cannot read along with a writer; a run that nobody
  // writes to can be read as it is.
  for (const char* how : {"?mode=ro", "?mode=ro&immutable=1"}) {
    std::unique_ptr<RunDb> look(new RunDb);
    look->file_ = file.string();
    sqlite3* db = nullptr;
    const int code = sqlite3_open_v2((file_uri(file) + how).c_str(), &db,
                                     SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, nullptr);
    look->db_ = std::shared_ptr<sqlite3>(db, CloseSqlite());
    sqlite3_busy_timeout(db, 10000);
    if (code != SQLITE_OK) continue;
    if (sqlite3_exec(db, "SELECT 1 FROM meta", nullptr, nullptr, nullptr) == SQLITE_OK) return look;
  }
  throw RunError(fmt::format("{}: it cannot be read, or is no ledger of a run", file.string()));
}

void RunDb::execute(const char* sql) const {
  char* message = nullptr;
  if (sqlite3_exec(db_.get(), sql, nullptr, nullptr, &message) == SQLITE_OK) return;
  const std::string text = fmt::format("{}: {}", file_, message != nullptr ? message : "?");
  sqlite3_free(message);
  throw RunError(text);
}

namespace {

void insert_inputs(sqlite3* db, const std::string& file, const std::vector<Input>& inputs) {
  Statement insert(db, file, "INSERT INTO input VALUES(?, ?, ?)");
  for (std::uint64_t i = 0; i < inputs.size(); ++i) {
    insert.bind(i, inputs[i].name, inputs[i].state).step();
  }
}

}  // namespace

void RunDb::begin(const std::vector<std::string>& effective, const std::vector<Input>& inputs) {
  const std::lock_guard lock(mutex_);
  Transaction transaction(db_.get(), file_);
  Statement insert(db_.get(), file_, "INSERT INTO effective(line, text) VALUES(?, ?)");
  for (std::uint64_t i = 0; i < effective.size(); ++i) insert.bind(i, effective[i]).step();
  insert_inputs(db_.get(), file_, inputs);
  execute("INSERT INTO meta VALUES('begun', datetime('now'))");
  Statement(db_.get(), file_, "INSERT INTO meta VALUES('format', ?)")
      .bind(std::string(kFormat))
      .step();
  transaction.commit();
}

std::vector<std::string> RunDb::effective() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> lines;
  Statement select(db_.get(), file_, "SELECT text FROM effective ORDER BY line");
  while (select.step()) lines.push_back(select.text(0));
  return lines;
}

std::vector<Input> RunDb::inputs() const {
  const std::lock_guard lock(mutex_);
  std::vector<Input> inputs;
  Statement select(db_.get(), file_, "SELECT name, state FROM input ORDER BY position");
  while (select.step()) inputs.push_back({select.text(0), select.text(1)});
  return inputs;
}

std::map<std::uint64_t, LedgerBatch> RunDb::batches() const {
  const std::lock_guard lock(mutex_);
  std::map<std::uint64_t, LedgerBatch> out;
  Statement select(db_.get(), file_,
                   "SELECT ordinal, attempt, first_object, objects, digest, committed IS NOT NULL "
                   "FROM batch");
  while (select.step()) {
    out.emplace(select.integer(0),
                LedgerBatch{select.integer(1), select.integer(2), select.integer(3), select.text(4),
                            select.integer(5) != 0});
  }
  return out;
}

std::string RunDb::ids_of(std::uint64_t ordinal) const {
  const std::lock_guard lock(mutex_);
  Statement select(db_.get(), file_, "SELECT ids FROM batch WHERE ordinal=?");
  if (!select.bind(ordinal).step()) return {};
  return std::string(select.blob(0));
}

std::map<std::uint64_t, std::uint64_t> RunDb::objects_in(std::size_t stage) const {
  const std::lock_guard lock(mutex_);
  std::map<std::uint64_t, std::uint64_t> out;
  Statement select(db_.get(), file_,
                   "SELECT ordinal, objects_in FROM stage_batch JOIN batch USING(ordinal) "
                   "WHERE stage=? AND committed IS NOT NULL");
  select.bind(std::uint64_t{stage});
  while (select.step()) out.emplace(select.integer(0), select.integer(1));
  return out;
}

void RunDb::set_meta(const std::string& key, const std::string& value) {
  const std::lock_guard lock(mutex_);
  Statement(db_.get(), file_, "INSERT OR REPLACE INTO meta VALUES(?, ?)").bind(key, value).step();
}

void RunDb::note_start() {
  const std::lock_guard lock(mutex_);
  execute("INSERT OR REPLACE INTO meta VALUES('started', datetime('now'))");
}

std::optional<std::string> RunDb::meta(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  Statement select(db_.get(), file_, "SELECT value FROM meta WHERE key=?");
  if (!select.bind(key).step()) return std::nullopt;
  return select.text(0);
}

std::uint64_t RunDb::committed_objects() const {
  const std::lock_guard lock(mutex_);
  Statement select(db_.get(), file_,
                   "SELECT coalesce(sum(objects), 0) FROM batch WHERE committed IS NOT NULL");
  select.step();
  return select.integer(0);
}

std::set<std::uint64_t> RunDb::unsettled(std::size_t fetcher) const {
  const std::lock_guard lock(mutex_);
  std::set<std::uint64_t> out;
  Statement select(db_.get(), file_,
                   "SELECT DISTINCT ordinal FROM object WHERE stage=? AND outcome IN (?, ?)");
  select.bind(std::uint64_t{fetcher}, static_cast<std::uint64_t>(Outcome::TryAgain),
              static_cast<std::uint64_t>(Outcome::BadObject));
  while (select.step()) out.insert(select.integer(0));
  return out;
}

void RunDb::commit(const BatchRecord& batch) {
  const std::lock_guard lock(mutex_);
  sqlite3* db = db_.get();
  Transaction transaction(db, file_);
  for (const char* sql :
       {"DELETE FROM stage_batch WHERE ordinal=?", "DELETE FROM counted WHERE ordinal=?",
        // Those that are bad at a fitter no more are dropped below; the attempts of those that are
        // fetched are kept.
        "UPDATE object SET outcome=NULL WHERE ordinal=?"}) {
    Statement(db, file_, sql).bind(batch.ordinal).step();
  }
  Statement(db, file_, "INSERT OR REPLACE INTO batch VALUES(?, ?, ?, ?, ?, ?, datetime('now'))")
      .bind(batch.ordinal, batch.attempt, batch.first_object, batch.objects, digest_of(batch.ids),
            Blob{batch.ids})
      .step();
  for (std::size_t i = 0; i < batch.stages.size(); ++i) write_stage(batch, i);
  Statement(db, file_, "DELETE FROM object WHERE ordinal=? AND outcome IS NULL")
      .bind(batch.ordinal)
      .step();
  transaction.commit();
}

void RunDb::write_stage(const BatchRecord& batch, std::size_t stage) const {
  const StageRecord& s = batch.stages[stage];
  const std::uint64_t i = stage;
  Statement(db_.get(), file_, "INSERT INTO stage_batch VALUES(?, ?, ?, ?, ?, ?)")
      .bind(batch.ordinal, i, s.objects_in, s.objects_out, s.epochs_in, s.epochs_out)
      .step();
  Statement count(db_.get(), file_, "INSERT INTO counted VALUES(?, ?, ?, ?, ?, ?)");
  std::uint64_t position = 0;
  for (const Counts::Entry& e : s.counts) {
    count.bind(batch.ordinal, i, position++, e.item, e.what, static_cast<std::uint64_t>(e.n))
        .step();
  }
  Statement object(db_.get(), file_,
                   "INSERT INTO object VALUES(?, ?, ?, ?, ?, ?, ?, 1, datetime('now'), ?) "
                   "ON CONFLICT(stage, source_id, ordinal, nth) DO UPDATE SET "
                   "outcome=excluded.outcome, reason=excluded.reason, epochs=excluded.epochs, "
                   "detail=excluded.detail, attempts=attempts+1, updated=excluded.updated");
  // Two quasars may be matched with one source; each has its own fate.
  std::map<std::string_view, std::uint64_t> times;
  for (const ObjectRecord& o : s.objects) {
    object
        .bind(i, o.source_id, batch.ordinal, static_cast<std::uint64_t>(o.outcome), o.reason,
              o.epochs, o.detail, times[o.source_id]++)
        .step();
  }
}

void RunDb::reopen(const std::set<std::uint64_t>& ordinals) {
  const std::lock_guard lock(mutex_);
  Transaction transaction(db_.get(), file_);
  Statement batch(db_.get(), file_, "UPDATE batch SET committed=NULL WHERE ordinal=?");
  for (const std::uint64_t ordinal : ordinals) batch.bind(ordinal).step();
  execute("DELETE FROM meta WHERE key IN ('finished', 'complete')");
  transaction.commit();
}

void RunDb::set_inputs(const std::vector<Input>& inputs) {
  const std::lock_guard lock(mutex_);
  Transaction transaction(db_.get(), file_);
  execute("DELETE FROM input");
  insert_inputs(db_.get(), file_, inputs);
  execute("DELETE FROM meta WHERE key IN ('source end', 'source size')");
  transaction.commit();
}

void RunDb::accept_inputs(const std::vector<Input>& inputs, const std::set<std::uint64_t>& dropped,
                          const std::set<std::uint64_t>& kept) {
  const std::lock_guard lock(mutex_);
  sqlite3* db = db_.get();
  Transaction transaction(db, file_);
  execute("DELETE FROM input");
  insert_inputs(db, file_, inputs);
  // Behind all ordinals that there are, those of the dropped ones too: their chunks are no others'.
  execute(
      "INSERT OR REPLACE INTO meta SELECT 'by identifier', coalesce(max(ordinal), -1) + 1 "
      "FROM batch");
  for (const char* table : {"batch", "stage_batch", "counted", "object"}) {
    const std::string sql = fmt::format("DELETE FROM {} WHERE ordinal=?", table);
    Statement forget(db, file_, sql.c_str());
    for (const std::uint64_t ordinal : dropped) forget.bind(ordinal).step();
  }
  Statement keep(db, file_, "UPDATE batch SET committed=datetime('now') WHERE ordinal=?");
  for (const std::uint64_t ordinal : kept) keep.bind(ordinal).step();
  execute("DELETE FROM meta WHERE key IN ('finished', 'complete', 'source end', 'source size')");
  transaction.commit();
}

void RunDb::set_products(const std::vector<ProductRecord>& products) {
  const std::lock_guard lock(mutex_);
  Transaction transaction(db_.get(), file_);
  Statement insert(db_.get(), file_, "INSERT OR REPLACE INTO product VALUES(?, ?, ?)");
  for (const ProductRecord& product : products) {
    insert.bind(product.path, product.now, product.before).step();
  }
  transaction.commit();
}

void RunDb::forget_product(const std::string& path) {
  const std::lock_guard lock(mutex_);
  Statement(db_.get(), file_, "DELETE FROM product WHERE path=?").bind(path).step();
}

void RunDb::discard() {
  const std::lock_guard lock(mutex_);
  Transaction transaction(db_.get(), file_);
  for (const char* table :
       {"effective", "input", "product", "batch", "stage_batch", "counted", "object"}) {
    execute(fmt::format("DELETE FROM {}", table).c_str());
  }
  execute("DROP TABLE IF EXISTS answer");
  execute("DELETE FROM meta WHERE key NOT IN ('run id', 'inode')");
  transaction.commit();
}

void RunDb::finish() {
  const std::lock_guard lock(mutex_);
  execute("INSERT OR REPLACE INTO meta VALUES('finished', datetime('now'))");
}

bool RunDb::is_finished() const {
  const std::lock_guard lock(mutex_);
  return Statement(db_.get(), file_, "SELECT 1 FROM meta WHERE key='finished'").step();
}

std::vector<ProductRecord> RunDb::products() const {
  const std::lock_guard lock(mutex_);
  std::vector<ProductRecord> out;
  Statement select(db_.get(), file_, "SELECT path, now, before FROM product ORDER BY path");
  while (select.step()) out.push_back({select.text(0), select.text(1), select.text(2)});
  return out;
}

}  // namespace qsohost::inline v1
