#include "base/sqlite.hpp"

#include <sqlite3.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <new>
#include <string_view>
#include <utility>

#include "qsohost/system_reason.hpp"

namespace qsohost::inline v1 {

namespace {

// Parameters ("?mode=ro") are appended to it.
std::string file_uri(const std::filesystem::path& file) {
  std::string uri = "file:";
  for (const char c : std::filesystem::absolute(file).string()) {
    uri += c == '?' || c == '#' || c == '%' ? fmt::format("%{:02x}", c) : std::string(1, c);
  }
  return uri;
}

bool is_damage(const SQLite::Exception& error) {
  const int code = error.getErrorCode() & 0xff;
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) return true;
  // A table or column that our own files have.
  return code == SQLITE_ERROR && std::string_view(error.what()).starts_with("no such ");
}

// SQLite says "disk I/O error" and "unable to open database file" whatever the reason; other values
// of errno are left from what it tried on the way.
std::string reason_text(int system_error) {
  constexpr int kReasons[] = {EACCES, EDQUOT, EFBIG, EMFILE, ENFILE, ENOSPC, ENOTDIR, EPERM, EROFS};
  const bool is_reason = std::ranges::find(kReasons, system_error) != std::end(kReasons);
  return is_reason ? fmt::format(" ({})", system_reason(system_error)) : "";
}

// At a named pipe SQLite would wait for ever. As with what another program has made, --restart
// throws nothing of it away.
const std::filesystem::path& require_file(const std::filesystem::path& file) {
  std::error_code none;
  const auto found = std::filesystem::status(file, none);
  if (!std::filesystem::exists(found) || std::filesystem::is_regular_file(found)) return file;
  throw UsageError(
      fmt::format("{}: {}, where a file must be; move it away", file.string(),
                  std::filesystem::is_directory(found) ? "a directory" : "a device or named pipe"));
}

}  // namespace

void SqliteFile::throw_error(const std::string& name, const SQLite::Exception& error,
                             int system_error) {
  if ((error.getErrorCode() & 0xff) == SQLITE_NOMEM) throw std::bad_alloc();
  if (is_damage(error)) {
    throw RunError(
        fmt::format("{}: the file is damaged, or no SQLite database ({}); restore it from a copy, "
                    "or move it away and begin anew (a run: --restart)",
                    name, error.what()));
  }
  throw RunError(fmt::format("{}: {}{}", name, error.what(), reason_text(system_error)));
}

void SqliteFile::refuse(const std::string& what) const {
  throw_error(name_, SQLite::Exception(what, SQLITE_CORRUPT), 0);
}

SqliteFile::SqliteFile(const std::filesystem::path& file, int wait_ms) try
    : name_(require_file(file).string()),
      db_(file.empty() ? ":memory:" : name_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE,
          wait_ms) {
} catch (const SQLite::Exception& e) {
  throw_error(file.string(), e, errno);
}

std::shared_ptr<SqliteFile> SqliteFile::look_at(const std::filesystem::path& file, int wait_ms) {
  require_file(file);
  std::string reason;
  // SQLite cannot read a file in a read-only folder while sharing it with a writer; without a
  // writer it can be opened as immutable.
  for (const char* how : {"?mode=ro", "?mode=ro&immutable=1"}) {
    try {
      SQLite::Database db(file_uri(file) + how, SQLite::OPEN_READONLY | SQLite::OPEN_URI, wait_ms);
      db.exec("SELECT 1 FROM sqlite_master");
      return std::shared_ptr<SqliteFile>(new SqliteFile(file.string(), std::move(db)));
    } catch (const SQLite::Exception& e) {
      if (is_damage(e)) throw_error(file.string(), e, 0);
      reason = e.what();
    }
  }
  throw RunError(
      fmt::format("{}: it cannot be read ({}); make it and its folder readable (chmod "
                  "u+rX)",
                  file.string(), reason));
}

const char* journal_mode(const std::filesystem::path& file) {
  // statfs(2) and linux/magic.h: NFS, SMB, CIFS, SMB2, AFS, Ceph, Lustre, GPFS, BeeGFS, PanFS,
  // OrangeFS, 9P, FUSE (Gluster, sshfs).
  constexpr std::uint32_t kNetwork[] = {0x6969,     0x517b,     0xff534d42, 0xfe534d42, 0x5346414f,
                                        0x00c36400, 0x0bd00bd0, 0x47504653, 0x19830326, 0xaad7aaea,
                                        0x20030528, 0x01021997, 0x65735546};
  struct statfs about {};
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  if (::statfs(folder.c_str(), &about) != 0) return "PRAGMA journal_mode=WAL";
  const auto type = static_cast<std::uint32_t>(about.f_type);
  const bool is_network = std::ranges::find(kNetwork, type) != std::end(kNetwork);
  return is_network ? "PRAGMA journal_mode=DELETE" : "PRAGMA journal_mode=WAL";
}

void bind_one(SQLite::Statement& to, int position, std::uint64_t value) {
  to.bind(position, static_cast<std::int64_t>(value));
}

void bind_one(SQLite::Statement& to, int position, const std::string& value) {
  to.bind(position, value);
}

void bind_one(SQLite::Statement& to, int position, const Blob& value) {
  if (value.bytes.size() > std::numeric_limits<int>::max()) {
    throw SQLite::Exception("string or blob too big");
  }
  to.bindNoCopy(position, value.bytes.data(), static_cast<int>(value.bytes.size()));
}

std::uint64_t integer(const SQLite::Statement& row, int column) {
  return static_cast<std::uint64_t>(row.getColumn(column).getInt64());
}

std::string text(const SQLite::Statement& row, int column) {
  return row.getColumn(column).getString();
}

}  // namespace qsohost::inline v1
