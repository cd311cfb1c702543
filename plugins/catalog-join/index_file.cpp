#include "index_file.hpp"

#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>

#include <algorithm>

#include <qsohost/error.hpp>

namespace catalog_join {

namespace {

void fill(SQLite::Database& db, const std::string& stamp,
          const std::function<void(SQLite::Database&)>& make) {
  // If this is interrupted, the file is made again: it needs no journal.
  db.exec("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -8192");
  db.exec("BEGIN; CREATE TABLE made_from(stamp TEXT)");
  SQLite::Statement insert(db, "INSERT INTO made_from VALUES(?)");
  insert.bind(1, stamp);
  insert.exec();
  make(db);
  db.exec("COMMIT");
}

}  // namespace

IndexFile::IndexFile(const std::filesystem::path& kept, const std::string& stamp,
                     const std::function<void(SQLite::Database&)>& make)
    : kept_(kept) {
  was_kept_ = open_kept(stamp);
  if (was_kept_) return;
  try {
    make_kept(stamp, make);
  } catch (const SQLite::Exception& e) {
    fail(e);
  }
}

// False if it does not exist, was made from something else, or is damaged.
bool IndexFile::open_kept(const std::string& stamp) {
  if (kept_.empty() || !std::filesystem::exists(kept_)) return false;
  try {
    db_.emplace(kept_.string(), SQLite::OPEN_READONLY);
    if (db_->execAndGet("SELECT stamp FROM made_from").getString() == stamp) return true;
  } catch (const SQLite::Exception&) {
    // Not a database, or cut: it is made again.
  }
  db_.reset();
  return false;
}

void IndexFile::make_kept(const std::string& stamp,
                          const std::function<void(SQLite::Database&)>& make) {
  if (kept_.empty()) {
    db_.emplace("",
                SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);  // SQLite's unnamed temporary file
    return fill(*db_, stamp, make);
  }
  std::filesystem::path temporary = kept_;
  temporary += ".tmp";
  std::filesystem::create_directories(kept_.parent_path());
  std::filesystem::remove(temporary);
  {
    SQLite::Database db(temporary.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    fill(db, stamp, make);
  }
  qsohost::publish_file(temporary, kept_);
  db_.emplace(kept_.string(), SQLite::OPEN_READONLY);
}

void IndexFile::fail(const SQLite::Exception& e) const {
  if (kept_.empty()) {
    throw qsohost::RunError(fmt::format("the index in SQLite's temporary folder: {}", e.what()));
  }
  throw qsohost::RunError(fmt::format("{}: {}; if the file is damaged, remove it: it is made again",
                                      kept_.string(), e.what()));
}

void for_each_block(
    qsohost::InputTable& table, std::span<const std::size_t> columns,
    const qsohost::Context& context,
    const std::function<void(const std::vector<qsohost::Cells>&, std::uint64_t)>& see) {
  constexpr std::uint64_t kBlock = 4096;
  for (std::uint64_t first = 0; first < table.rows(); first += kBlock) {
    if (context.stop_requested()) {
      throw qsohost::TryAgain(fmt::format("stopped while {} was read", table.name()));
    }
    see(table.read(first, std::min(kBlock, table.rows() - first), columns), first);
  }
}

}  // namespace catalog_join
