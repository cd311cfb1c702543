#include "http/answer_store.hpp"

#include <zlib.h>

#include "data/fnv.hpp"
#include "http/url.hpp"
#include "run/sqlite.hpp"

namespace qsohost::inline v1 {

namespace {

const char* const kSchema = R"(
CREATE TABLE IF NOT EXISTS answer(
  stage TEXT, ordinal INTEGER, question INTEGER, url TEXT, turn INTEGER, status INTEGER,
  final_url TEXT, headers TEXT, size INTEGER, body BLOB, asked TEXT,
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
    throw ChainError(fmt::format("{}: an answer cannot be compressed", file));
  }
  out.resize(size);
  return out;
}

std::string expanded(std::string_view bytes, std::uint64_t size, const std::string& file) {
  std::string out(size, '\0');
  uLongf length = size;
  if (uncompress(reinterpret_cast<Bytef*>(out.data()), &length,
                 reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()) != Z_OK ||
      length != size) {
    throw ChainError(fmt::format("{}: a stored answer is damaged", file));
  }
  return out;
}

std::string to_lines(const Response& response) {
  std::string out;
  for (const auto& [name, value] : response.headers) out += fmt::format("{}: {}\n", name, value);
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

AnswerStore::AnswerStore(const std::filesystem::path& file, bool must_exist)
    : file_(file.string()) {
  sqlite3* db = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | (must_exist ? 0 : SQLITE_OPEN_CREATE);
  const int code = sqlite3_open_v2(file_.c_str(), &db, flags, nullptr);
  db_ = std::shared_ptr<sqlite3>(db, CloseSqlite());
  if (code != SQLITE_OK) throw ChainError(fmt::format("{}: {}", file_, sqlite3_errmsg(db)));
  sqlite3_busy_timeout(db, 60000);
  execute(journal_mode(file));
  // Whatever was stored outlives this process; after a power cut the last answers are asked again.
  execute("PRAGMA synchronous=NORMAL");
  execute(kSchema);
}

// Gives back to the file system what dropped answers took.
AnswerStore::~AnswerStore() {
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
            "INSERT OR REPLACE INTO answer VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, datetime('now'))")
      .bind(owner.stage, owner.ordinal, identity(request), public_url(request.url),
            static_cast<std::uint64_t>(request.turn), static_cast<std::uint64_t>(response.status),
            response.url, to_lines(response), std::uint64_t{response.body.size()}, Blob{body})
      .step();
}

std::optional<Response> AnswerStore::find(const Owner& owner, const Request& request) const {
  Response response;
  std::string body;
  std::uint64_t size = 0;
  {
    const std::lock_guard lock(mutex_);
    Statement select(db_.get(), file_,
                     "SELECT status, final_url, headers, size, body FROM answer "
                     "WHERE stage=? AND ordinal=? AND question=?");
    if (!select.bind(owner.stage, owner.ordinal, identity(request)).step()) return std::nullopt;
    response.status = static_cast<int>(select.integer(0));
    response.url = select.text(1);
    from_lines(select.text(2), response);
    size = select.integer(3);
    body = select.blob(4);
  }
  response.body = expanded(body, size, file_);
  return response;
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

}  // namespace qsohost::inline v1
