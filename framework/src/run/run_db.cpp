#include "run/run_db.hpp"

#include <sqlite3.h>

#include <charconv>

#include "base/fnv.hpp"
#include "base/sqlite.hpp"

namespace qsohost::inline v1 {

std::string digest_of(std::string_view ids) {
  return fmt::format("{:016x}", fnv1a(ids));
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
  refuse(fmt::format("'{}' is '{}', no number", key, *text));
}

void RunDb::refuse(const std::string& what) const {
  db_->refuse(what);
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
