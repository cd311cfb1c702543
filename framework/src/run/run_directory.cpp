#include "run/run_directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

namespace fs = std::filesystem;

std::string difference(const std::vector<std::string>& before,
                       const std::vector<std::string>& now) {
  std::string out;
  const auto only_in = [&](const std::vector<std::string>& a, const std::vector<std::string>& b,
                           const char* sign) {
    for (const std::string& line : a) {
      if (std::ranges::find(b, line) == b.end()) out += fmt::format("\n  {} {}", sign, line);
    }
  };
  only_in(before, now, "-");
  only_in(now, before, "+");
  return out.empty() ? "\n  (the same lines in another order)" : out;
}

FolderLock::FolderLock(const fs::path& folder) {
  const fs::path file = folder / "lock";
  file_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file_ < 0) throw ChainError(fmt::format("{}: {}", file.string(), std::strerror(errno)));
  // Whoever looks whether it is held has it for an instant himself.
  for (int attempt = 0; attempt < 5; ++attempt) {
    if (::flock(file_, LOCK_EX | LOCK_NB) == 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  ::close(file_);
  throw ChainError(
      fmt::format("run directory {} is in use by another qsohost; wait for it, or take another "
                  "directory (--run-dir)",
                  folder.string()));
}

FolderLock::~FolderLock() {
  ::close(file_);
}

bool FolderLock::is_held(const fs::path& folder) {
  const int file = ::open((folder / "lock").c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool is_held = ::flock(file, LOCK_SH | LOCK_NB) != 0;
  ::close(file);
  return is_held;
}

RunDirectory::RunDirectory(const fs::path& folder, StartMode start,
                           const std::vector<std::string>& effective)
    : folder_(fs::absolute(folder).lexically_normal()) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) {
    throw ChainError(
        fmt::format("run directory {}: cannot be made: {}", folder_.string(), error.message()));
  }
  lock_ = std::make_unique<FolderLock>(folder_);
  if (start == StartMode::Restart) clear();
  db_ = std::make_unique<RunDb>(folder_ / "run.db");
  if (db_->is_new()) {
    db_->begin(effective);
    return;
  }
  if (start == StartMode::Fresh) {
    throw ChainError(fmt::format(
        "run directory {} holds a run already ({} objects{}); go on with it (--resume), throw it "
        "away (--restart), or take another directory (--run-dir)",
        folder_.string(), db_->committed_objects(), db_->is_finished() ? ", finished" : ""));
  }
  if (db_->meta("format") != RunDb::kFormat) {
    throw ChainError(fmt::format(
        "run directory {} holds a run of another version of qsohost, whose ledger is not readable "
        "here; finish it with that version, throw the run away (--restart), or take another "
        "directory (--run-dir)",
        folder_.string()));
  }
  const std::vector<std::string> before = db_->effective();
  if (before != effective) {
    throw ChainError(fmt::format(
        "run directory {} holds a run of another chain (- then, + now):{}\n  go back to the chain "
        "of then, throw the run away (--restart), or take another directory (--run-dir)",
        folder_.string(), difference(before, effective)));
  }
}

void RunDirectory::clear() const {
  if (fs::exists(folder_ / "run.db")) {
    // Products of the thrown-away run must not be taken for those of the new one.
    for (const fs::path& product : RunDb(folder_ / "run.db").products()) fs::remove(product);
  }
  for (const char* name : {"run.db", "run.db-wal", "run.db-shm"}) fs::remove(folder_ / name);
  fs::remove_all(folder_ / "chunks");
  remove_received();
}

void RunDirectory::remove_received() const {
  fs::remove_all(folder_ / kReceivedFolder);
}

fs::path RunDirectory::make_chunk_folder(const std::string& label) const {
  const fs::path folder = folder_ / "chunks" / label;
  fs::create_directories(folder);
  return folder;
}

void RunDirectory::remove_chunks(const std::vector<std::string>& labels) const {
  const fs::path all = folder_ / "chunks";
  for (const std::string& label : labels) fs::remove_all(all / label);
  if (fs::exists(all) && fs::is_empty(all)) fs::remove(all);
}

}  // namespace qsohost::inline v1
