#include "http/answer_store.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>

#include "base/fnv.hpp"
#include "base/secrets.hpp"
#include "base/sqlite_kind.hpp"
#include "http/headers.hpp"
#include "http/url.hpp"

namespace qsohost::inline v1 {

namespace {

constexpr int kWaitMs = 60000;  // while another process has the file open

constexpr const char* kSchema = R"(
CREATE TABLE IF NOT EXISTS answer(
  stage TEXT, ordinal INTEGER, question INTEGER, url TEXT, turn INTEGER, status INTEGER,
  final_url TEXT, headers TEXT, size INTEGER, body BLOB, asked TEXT, is_end_known INTEGER,
  PRIMARY KEY(ordinal, stage, question)) WITHOUT ROWID;
)";

constexpr SqliteKind kRecording{0x51534f41,  // "QSOA"
                                1,
                                kSchema,
                                "recording of answers",
                                "name another folder (--record, --replay)",
                                "remove it and record again (--record)"};

std::string compressed(const std::string& text, const std::string& file) {
  uLongf size = compressBound(text.size());
  std::string out(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(out.data()), &size,
                reinterpret_cast<const Bytef*>(text.data()), text.size(), 1) != Z_OK) {
    throw RunError(fmt::format(
        "{}: an answer cannot be compressed; free some memory, or raise its limit", file));
  }
  out.resize(size);
  return out;
}

// None if the bytes are not what was stored.
std::optional<std::string> expanded(std::string_view bytes, std::uint64_t size) {
  // The stored size may be damaged too; no response compresses by more than this factor.
  constexpr std::uint64_t most = 1100;
  if (size / most > bytes.size()) return std::nullopt;
  std::string out(size, '\0');
  uLongf length = size;
  if (uncompress(reinterpret_cast<Bytef*>(out.data()), &length,
                 reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()) != Z_OK ||
      length != size) {
    return std::nullopt;
  }
  return out;
}

std::string to_lines(const Response& response) {
  std::string out;
  for (const auto& [name, value] : response.headers) {
    if (is_kept_header(name)) out += fmt::format("{}: {}\n", name, value);
  }
  return out;
}

void from_lines(std::string_view lines, Response& response) {
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    const std::string_view line = lines.substr(0, end);
    const std::size_t colon = line.find(": ");
    if (colon != std::string_view::npos) {
      response.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    }
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
  }
}

bool has_column(SqliteFile& file, const char* name) {
  return file.use([&](SQLite::Database& db) {
    return step(db, "SELECT 1 FROM pragma_table_info('answer') WHERE name=?", std::string(name));
  });
}

// Earlier versions did not mark their recordings.
bool is_unmarked_recording(SqliteFile& file) {
  const auto id = file.use(
      [](SQLite::Database& db) { return db.execAndGet("PRAGMA application_id").getInt64(); });
  return id == 0 && std::ranges::all_of(std::array{"question", "final_url", "turn", "body"},
                                        [&](const char* name) { return has_column(file, name); });
}

void choose_journal(SqliteFile& file) {
  file.use([&](SQLite::Database& db) {
    db.exec(journal_mode(file.name()));
    // Stored responses survive a crash of this process; after a power cut the last ones are
    // requested again.
    db.exec("PRAGMA synchronous=NORMAL");
  });
}

}  // namespace

AnswerStore::AnswerStore(const std::filesystem::path& run_db, Log log)
    : AnswerStore(std::make_shared<SqliteFile>(run_db, kWaitMs), std::move(log)) {
  choose_journal(*db_);
  db_->use([](SQLite::Database& db) { db.exec(kSchema); });
}

std::unique_ptr<AnswerStore> AnswerStore::record(const std::filesystem::path& file, Log log) {
  // An empty one was left by a run that was killed when it had just made the file.
  std::error_code no_file;  // then the size is not 0
  const bool is_begun =
      std::filesystem::exists(file) && std::filesystem::file_size(file, no_file) > 0;
  if (is_begun) {
    const auto db = SqliteFile::look_at(file, kWaitMs);
    if (is_unmarked_recording(*db)) {
      throw UsageError(fmt::format(
          "{}: a recording of an earlier version of qsohost, which can be replayed, but not added "
          "to; name another folder (--record)",
          file.string()));
    }
    require_kind(*db, kRecording);
  }
  auto db = std::make_shared<SqliteFile>(file, kWaitMs);
  require_whole(*db);
  // First of all: the choice of a journal is written into the file, too. Another run may do the
  // same now, so it is locked from the beginning.
  if (!is_begun) {
    db->use([](SQLite::Database& to) {
      SQLite::Transaction transaction(to, SQLite::TransactionBehavior::IMMEDIATE);
      mark(to, kRecording);
      to.exec(kSchema);
      transaction.commit();
    });
  }
  choose_journal(*db);
  return std::unique_ptr<AnswerStore>(new AnswerStore(std::move(db), std::move(log)));
}

std::unique_ptr<AnswerStore> AnswerStore::look_at(const std::filesystem::path& file, Log log) {
  if (!std::filesystem::exists(file)) {
    throw UsageError(fmt::format(
        "{}: there is no such recording; name the folder that was given to --record (--replay)",
        file.string()));
  }
  auto db = SqliteFile::look_at(file, kWaitMs);
  const bool is_unmarked = is_unmarked_recording(*db);
  if (!is_unmarked) require_kind(*db, kRecording);
  std::unique_ptr<AnswerStore> store(new AnswerStore(std::move(db), std::move(log)));
  store->is_read_only_ = true;
  store->has_ends_ = !is_unmarked || has_column(*store->db_, "is_end_known");
  if (!store->has_ends_) store->warn("of an older version: all its answers count as whole");
  return store;
}

void AnswerStore::warn(const std::string& text) const {
  if (log_) log_(LogLevel::Warning, db_->name() + ": " + text);
}

// Returns the space of dropped responses to the file system.
AnswerStore::~AnswerStore() {
  if (is_read_only_) return;
  db_->use([](SQLite::Database& db) { db.tryExec("PRAGMA incremental_vacuum"); });
}

void AnswerStore::put(const Owner& owner, const Request& request, const Response& response) {
  const std::string sent = for_storage(response.body);
  const std::string body = compressed(sent, db_->name());
  db_->use([&](SQLite::Database& db) {
    step(db,
         "INSERT OR REPLACE INTO answer(stage, ordinal, question, url, turn, status, final_url, "
         "headers, size, body, is_end_known, asked) "
         "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, datetime('now'))",
         owner.stage, owner.ordinal, identity(request), public_url(request.url),
         static_cast<std::uint64_t>(request.turn), static_cast<std::uint64_t>(response.status),
         for_storage(response.url), for_storage(to_lines(response)), std::uint64_t{sent.size()},
         Blob{body}, std::uint64_t{response.is_end_known});
  });
}

std::optional<Response> AnswerStore::find(const Owner& owner, const Request& request) const {
  Response response;
  std::string body;
  std::uint64_t size = 0;
  // In old recordings the end of a response is not recorded; it was trusted when it was made.
  const std::string select_answer = fmt::format(
      "SELECT status, final_url, headers, size, body, coalesce({}, {}) FROM answer "
      "WHERE stage=? AND ordinal=? AND question=?",
      has_ends_ ? "is_end_known" : "NULL", is_read_only_ ? 1 : 0);
  const bool is_found = db_->use([&](SQLite::Database& db) {
    SQLite::Statement select(db, select_answer);
    if (!step(select, owner.stage, owner.ordinal, identity(request))) return false;
    response.status = static_cast<int>(integer(select, 0));
    response.url = from_storage(text(select, 1));
    from_lines(from_storage(text(select, 2)), response);
    size = integer(select, 3);
    body = text(select, 4);
    response.is_end_known = integer(select, 5) != 0;
    response.is_kept = true;
    return true;
  });
  if (!is_found) return std::nullopt;
  auto whole = expanded(body, size);
  if (!whole) {
    drop_damaged(owner, request);
    return std::nullopt;
  }
  response.body = from_storage(std::move(*whole));
  return response;
}

void AnswerStore::drop_damaged(const Owner& owner, const Request& request) const {
  const std::string which =
      fmt::format("the stored answer to {} {} is damaged", request.method, public_url(request.url));
  if (is_read_only_) {
    throw RunError(fmt::format("{}: {}; record it again with --record", db_->name(), which));
  }
  db_->use([&](SQLite::Database& db) {
    step(db, "DELETE FROM answer WHERE stage=? AND ordinal=? AND question=?", owner.stage,
         owner.ordinal, identity(request));
  });
  warn(which + "; the archive is asked again");
}

// Column `question`. A new token finds the same response.
std::uint64_t AnswerStore::identity(const Request& request) {
  std::uint64_t hash = fnv1a(request.method);
  for (const std::string& part : {without_secrets(request.url), without_secrets(request.body),
                                  std::to_string(request.turn)}) {
    hash = fnv1a(part, fnv1a(std::string_view("\0", 1), hash));
  }
  return hash;
}

std::uint64_t AnswerStore::count(const Owner& owner) const {
  return db_->use([&](SQLite::Database& db) {
    SQLite::Statement select(db, "SELECT count(*) FROM answer WHERE stage=? AND ordinal=?");
    step(select, owner.stage, owner.ordinal);
    return integer(select, 0);
  });
}

std::vector<std::uint64_t> AnswerStore::ordinals() const {
  return db_->use([&](SQLite::Database& db) {
    std::vector<std::uint64_t> out;
    SQLite::Statement select(db, "SELECT DISTINCT ordinal FROM answer");
    while (select.executeStep()) out.push_back(integer(select, 0));
    return out;
  });
}

void AnswerStore::drop(std::uint64_t ordinal) {
  db_->use([&](SQLite::Database& db) { step(db, "DELETE FROM answer WHERE ordinal=?", ordinal); });
}

void AnswerStore::drop_all() {
  db_->use([&](SQLite::Database& db) { db.exec("DELETE FROM answer"); });
}

}  // namespace qsohost::inline v1
