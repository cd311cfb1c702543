#include "http/answer_store.hpp"

#include <zlib.h>

#include "data/fnv.hpp"
#include "http/headers.hpp"
#include "http/url.hpp"
#include "run/sqlite.hpp"

namespace qsohost::inline v1 {

namespace {

const char* const kSchema = R"(
CREATE TABLE IF NOT EXISTS answer(
  stage TEXT, ordinal INTEGER, question INTEGER, url TEXT, turn INTEGER, status INTEGER,
  final_url TEXT, headers TEXT, size INTEGER, body BLOB, asked TEXT, is_end_known INTEGER,
  PRIMARY KEY(ordinal, stage, question)) WITHOUT ROWID;
)";

// What makes a question the same as another.
std::uint64_t identity(const Request& request) {
  std::uint64_t hash = fnv1a(request.method);
  for (const std::string& part : {request.url, request.body, std::to_string(request.turn)}) {
    hash = fnv1a(part, fnv1a(std::string_view("\0", 1), hash));
  }
  return hash;
}

std::string compressed(const std::string& text, const std::string& file) {
  uLongf size = compressBound(text.size());
  std::string out(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(out.data()), &size,
                reinterpret_cast<const Bytef*>(text.data()), text.size(), 1) != Z_OK) {
    throw RunError(fmt::format("{}: an answer cannot be compressed", file));
  }
  out.resize(size);
  return out;
}

// None if the bytes are not what was stored.
std::optional<std::string> expanded(std::string_view bytes, std::uint64_t size) {
  // The size may be damaged too; no answer shrinks to less than this.
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

}  // namespace

AnswerStore::AnswerStore(const std::filesystem::path& file, Log log)
    : AnswerStore(file.string(), std::move(log)) {
  const bool is_open = open(file_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (!is_open) throw RunError(fmt::format("{}: {}", file_, sqlite3_errmsg(db_.get())));
  execute(journal_mode(file));
  // Whatever was stored outlives this process; after a power cut the last answers are asked again.
  execute("PRAGMA synchronous=NORMAL");
  prepare_tables();
}

std::unique_ptr<AnswerStore> AnswerStore::look_at(const std::filesystem::path& file, Log log) {
  std::unique_ptr<AnswerStore> store(new AnswerStore(file.string(), std::move(log)));
  store->is_read_only_ = true;
  // Where SQLite may not write beside the file, it reads only what it is told will not change.
  for (const char* how : {"?mode=ro", "?mode=ro&immutable=1"}) {
    if (!store->open(file_uri(file) + how, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI)) continue;
    if (sqlite3_exec(store->db_.get(), "SELECT 1 FROM answer LIMIT 1", nullptr, nullptr, nullptr) ==
        SQLITE_OK) {
      store->has_ends_ = store->has_column("is_end_known");
      if (!store->has_ends_) store->warn("of an older version: all its answers count as whole");
      return store;
    }
  }
  throw UsageError(fmt::format("{}: it cannot be read, or holds no recorded answers ({})",
                               store->file_, sqlite3_errmsg(store->db_.get())));
}

void AnswerStore::warn(const std::string& text) const {
  if (log_) log_(LogLevel::Warning, file_ + ": " + text);
}

bool AnswerStore::open(const std::string& name, int flags) {
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &db, flags, nullptr);
  db_ = std::shared_ptr<sqlite3>(db, CloseSqlite());
  sqlite3_busy_timeout(db, 60000);
  return code == SQLITE_OK;
}

bool AnswerStore::has_column(const char* name) const {
  Statement columns(db_.get(), file_, "SELECT 1 FROM pragma_table_info('answer') WHERE name=?");
  return columns.bind(std::string(name)).step();
}

// A file of an older version gets the column that it lacks.
void AnswerStore::prepare_tables() {
  execute(kSchema);
  if (!has_column("is_end_known")) execute("ALTER TABLE answer ADD COLUMN is_end_known INTEGER");
}

// Gives back to the file system what dropped answers took.
AnswerStore::~AnswerStore() {
  if (is_read_only_) return;
  sqlite3_exec(db_.get(), "PRAGMA incremental_vacuum", nullptr, nullptr, nullptr);
}

void AnswerStore::execute(const char* sql) const {
  Statement statement(db_.get(), file_, sql);
  while (statement.step()) {
  }
}

void AnswerStore::put(const Owner& owner, const Request& request, const Response& response) {
  const std::string body = compressed(response.body, file_);
  const std::lock_guard lock(mutex_);
  Statement(db_.get(), file_,
            "INSERT OR REPLACE INTO answer(stage, ordinal, question, url, turn, status, final_url, "
            "headers, size, body, is_end_known, asked) "
            "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, datetime('now'))")
      .bind(owner.stage, owner.ordinal, identity(request), public_url(request.url),
            static_cast<std::uint64_t>(request.turn), static_cast<std::uint64_t>(response.status),
            response.url, to_lines(response), std::uint64_t{response.body.size()}, Blob{body},
            std::uint64_t{response.is_end_known})
      .step();
}

std::optional<Response> AnswerStore::find(const Owner& owner, const Request& request) const {
  Response response;
  std::string body;
  std::uint64_t size = 0;
  {
    const std::lock_guard lock(mutex_);
    // What is not known of a recording was believed when it was made.
    const std::string select_answer = fmt::format(
        "SELECT status, final_url, headers, size, body, coalesce({}, {}) FROM answer "
        "WHERE stage=? AND ordinal=? AND question=?",
        has_ends_ ? "is_end_known" : "NULL", is_read_only_ ? 1 : 0);
    Statement select(db_.get(), file_, select_answer.c_str());
    if (!select.bind(owner.stage, owner.ordinal, identity(request)).step()) return std::nullopt;
    response.status = static_cast<int>(select.integer(0));
    response.url = select.text(1);
    from_lines(select.text(2), response);
    size = select.integer(3);
    body = select.blob(4);
    response.is_end_known = select.integer(5) != 0;
  }
  auto text = expanded(body, size);
  if (!text) {
    drop_damaged(owner, request);
    return std::nullopt;
  }
  response.body = std::move(*text);
  return response;
}

void AnswerStore::drop_damaged(const Owner& owner, const Request& request) const {
  const std::string which =
      fmt::format("the stored answer to {} {} is damaged", request.method, public_url(request.url));
  if (is_read_only_) {
    throw RunError(fmt::format("{}: {}; record it again with --record", file_, which));
  }
  {
    const std::lock_guard lock(mutex_);
    Statement(db_.get(), file_, "DELETE FROM answer WHERE stage=? AND ordinal=? AND question=?")
        .bind(owner.stage, owner.ordinal, identity(request))
        .step();
  }
  warn(which + "; the archive is asked again");
}

std::uint64_t AnswerStore::count(const Owner& owner) const {
  const std::lock_guard lock(mutex_);
  Statement select(db_.get(), file_, "SELECT count(*) FROM answer WHERE stage=? AND ordinal=?");
  select.bind(owner.stage, owner.ordinal).step();
  return select.integer(0);
}

std::vector<std::uint64_t> AnswerStore::ordinals() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::uint64_t> out;
  Statement select(db_.get(), file_, "SELECT DISTINCT ordinal FROM answer");
  while (select.step()) out.push_back(select.integer(0));
  return out;
}

void AnswerStore::drop(std::uint64_t ordinal) {
  const std::lock_guard lock(mutex_);
  Statement(db_.get(), file_, "DELETE FROM answer WHERE ordinal=?").bind(ordinal).step();
}

void AnswerStore::drop_all() {
  const std::lock_guard lock(mutex_);
  execute("DELETE FROM answer");
}

}  // namespace qsohost::inline v1
