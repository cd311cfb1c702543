#include "run/run_directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <fstream>
#include <random>
#include <set>
#include <thread>

#include "qsohost/error.hpp"
#include "qsohost/system_reason.hpp"
#include "run/product_files.hpp"

namespace qsohost::inline v1 {

namespace fs = std::filesystem;

namespace {

constexpr const char* kWorkFolder = ".qsohost";
constexpr const char* kMark = "run-id";
constexpr const char* kNewMark = "run-id.part";
constexpr const char* kLock = "lock";
constexpr const char* kChunks = "chunks";

std::string new_id() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

// Differs for a copy, stays the same after a move.
std::string inode_of(const fs::path& folder) {
  struct stat about {};
  if (::stat(folder.c_str(), &about) != 0) {
    throw RunError(fmt::format("{}: {}", folder.string(), system_reason(errno)));
  }
  return std::to_string(about.st_ino);
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    throw RunError(fmt::format("run directory {}: cannot be made: {}", folder.string(),
                               system_reason(error.value())));
  }
}

// Until it is marked it holds nothing of value.
bool is_begun(const fs::path& work) {
  return std::ranges::all_of(fs::directory_iterator(work), [](const fs::directory_entry& entry) {
    const fs::path name = entry.path().filename();
    return name == kLock || name == kNewMark || name == kHolderFile;
  });
}

// "00000012-1.fits" or "00000012-1-g.fits": ordinal and attempt; none for another name.
std::optional<std::pair<std::uint64_t, std::uint64_t>> chunk_of(const std::string& name) {
  std::pair<std::uint64_t, std::uint64_t> chunk;
  const char* const end = name.data() + name.size();
  const auto ordinal = std::from_chars(name.data(), end, chunk.first);
  if (ordinal.ec != std::errc() || ordinal.ptr == end || *ordinal.ptr != '-') return std::nullopt;
  const auto attempt = std::from_chars(ordinal.ptr + 1, end, chunk.second);
  if (attempt.ec != std::errc()) return std::nullopt;
  return chunk;
}

void mark(const fs::path& work, const std::string& id) {
  const fs::path temporary = work / kNewMark;
  std::ofstream(temporary) << id << '\n';
  publish_file(temporary, work / kMark);
}

}  // namespace

fs::path work_folder(const fs::path& run_dir) {
  return run_dir / kWorkFolder;
}

fs::path chunk_folder(const fs::path& run_dir, const std::string& label) {
  return work_folder(run_dir) / kChunks / label;
}

fs::path ledger_file(const fs::path& run_dir) {
  return work_folder(run_dir) / "run.db";
}

fs::path resolved(const fs::path& path) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path);
  fs::path real = fs::weakly_canonical(absolute, error);
  return error ? absolute.lexically_normal() : real;
}

void require_run(const fs::path& run_dir) {
  if (fs::exists(ledger_file(run_dir))) return;
  if (fs::exists(run_dir / "run.db")) {
    throw UsageError(
        fmt::format("{} holds a run of qsohost 0.1 or earlier, which is not readable here; finish "
                    "it with that version, or take another directory",
                    run_dir.string()));
  }
  throw UsageError(
      fmt::format("{} holds no run (there is no {}); name the folder given by --run-dir",
                  run_dir.string(), ledger_file(run_dir).lexically_relative(run_dir).string()));
}

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

std::string difference(const std::vector<Input>& before, const std::vector<Input>& now) {
  std::string out;
  for (const Input& was : before) {
    const auto is = std::ranges::find(now, was.name, &Input::name);
    const std::string state = is == now.end() ? "no input any more" : is->state;
    if (state != was.state) out += fmt::format("\n  {}: was {}; is {}", was.name, was.state, state);
  }
  for (const Input& is : now) {
    if (std::ranges::find(before, is.name, &Input::name) != before.end()) continue;
    out += fmt::format("\n  {}: was no input; is {}", is.name, is.state);
  }
  return out;
}

FolderLock::FolderLock(const fs::path& run_dir) {
  const fs::path file = qsohost::work_folder(run_dir) / kLock;
  file_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file_ < 0)
    throw RunError(fmt::format("{}: cannot be written: {}", file.string(), system_reason(errno)));
  int error = 0;
  // is_held() takes the lock for an instant, so retry.
  for (int attempt = 0; attempt < 5; ++attempt) {
    if (::flock(file_, LOCK_EX | LOCK_NB) == 0) return;
    error = errno;
    if (error != EWOULDBLOCK) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  ::close(file_);
  if (error != EWOULDBLOCK) {
    throw RunError(
        fmt::format("{}: cannot be locked: {}; this file system knows no locks (Lustre: mount it "
                    "with -o flock); take a run directory on another one (--run-dir)",
                    file.string(), std::strerror(error)));
  }
  const auto holder = read_holder(qsohost::work_folder(run_dir));
  throw UsageError(
      fmt::format("run directory {} is in use by another qsohost{}; wait for it, or take another "
                  "directory (--run-dir)",
                  run_dir.string(), holder ? " (" + name_of(*holder) + ")" : ""));
}

FolderLock::~FolderLock() {
  ::close(file_);
}

bool FolderLock::is_held(const fs::path& run_dir) {
  const fs::path lock = qsohost::work_folder(run_dir) / kLock;
  const int file = ::open(lock.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return false;
  const bool is_held = ::flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(file);
  return is_held;
}

RunDirectory::RunDirectory(const RunOptions& options, const RunFacts& facts, Warn warn)
    : folder_(resolved(options.run_dir)), warn_(std::move(warn)) {
  make_folders();
  if (facts.uses_secrets) make_private();
  if (options.start == StartMode::Restart) clear();
  open_ledger();
  if (db_->meta("merged from")) {
    throw UsageError(fmt::format(
        "run directory {} holds the products of merged runs; take another directory (--run-dir)",
        folder_.string()));
  }
  if (db_->is_new()) {
    db_->begin(facts.effective, facts.inputs);
    return;
  }
  if (options.start == StartMode::Fresh) {
    throw UsageError(fmt::format(
        "run directory {} holds a run already ({} objects{}); go on with it (--resume), throw it "
        "away (--restart), or take another directory (--run-dir)",
        folder_.string(), db_->committed_objects(), db_->is_finished() ? ", finished" : ""));
  }
  require_same(facts, options.accept_changed_inputs);
}

RunDirectory::RunDirectory(const fs::path& folder, const RunFacts& facts, Warn warn)
    : folder_(resolved(folder)), warn_(std::move(warn)) {
  make_folders();
  open_ledger();
  if (db_->is_new()) {
    db_->set_meta("merged from", "");
    db_->begin(facts.effective, facts.inputs);
  } else if (!db_->meta("merged from")) {
    throw UsageError(
        fmt::format("{} holds a run of its own; take another folder (--into)", folder_.string()));
  }
}

// The run directory, the host's folder in it, the lock and the mark.
void RunDirectory::make_folders() {
  make_folder(folder_);
  if (!fs::exists(ledger_file(folder_)) && fs::exists(folder_ / "run.db")) require_run(folder_);
  const fs::path work = work_folder();
  const bool is_ours = fs::exists(work / kMark);
  if (fs::exists(work) && !is_ours && !(fs::is_directory(work) && is_begun(work))) {
    throw UsageError(
        fmt::format("{} was not made by qsohost (it has no {}); move it away, or take another "
                    "directory (--run-dir)",
                    work.string(), kMark));
  }
  make_folder(work);
  lock_ = std::make_unique<FolderLock>(folder_);
  heartbeat_ = std::make_unique<Heartbeat>(work);
  if (!is_ours) mark(work, new_id());
}

// Products stay as readable as the user's umask makes them.
void RunDirectory::make_private() const {
  std::error_code error;
  fs::permissions(work_folder(), fs::perms::owner_all, error);
  if (error) {
    throw RunError(fmt::format(
        "{}: the chain uses a secret, but this folder cannot be kept from others (chmod 700): {}",
        work_folder().string(), error.message()));
  }
}

void RunDirectory::open_ledger() {
  db_ = std::make_unique<RunDb>(ledger_file(folder_));
  if (db_->meta("run id")) return adopt_copy(folder_, *db_);
  std::string id;
  std::ifstream(work_folder() / kMark) >> id;
  db_->set_meta("inode", inode_of(work_folder()));
  db_->set_meta("run id", id);
}

bool is_copy(const fs::path& run_dir, const RunDb& db) {
  return db.meta("inode") != inode_of(qsohost::work_folder(run_dir));
}

void adopt_copy(const fs::path& run_dir, RunDb& db) {
  if (!is_copy(run_dir, db)) return;
  const fs::path work = qsohost::work_folder(run_dir);
  // First: the original run may be writing these right now.
  for (const ProductRecord& product : db.products()) {
    if (fs::path(product.path).is_absolute()) db.forget_product(product.path);
  }
  ProductFiles(run_dir, db).remove_temporaries();
  const std::string id = new_id();
  mark(work, id);
  db.set_meta("run id", id);
  db.set_meta("inode", inode_of(work));
}

void RunDirectory::require_same(const RunFacts& facts, bool accept_changed_inputs) {
  const std::vector<std::string> before = db_->effective();
  if (before != facts.effective) {
    throw UsageError(fmt::format(
        "run directory {} holds a run of another chain (- then, + now):{}\n  go back to the chain "
        "of then, throw the run away (--restart), or take another directory (--run-dir)",
        folder_.string(), difference(before, facts.effective)));
  }
  const std::string changed = difference(db_->inputs(), facts.inputs);
  has_changed_inputs_ = !changed.empty();
  if (!has_changed_inputs_ || accept_changed_inputs) return;
  throw UsageError(fmt::format(
      "run directory {} holds a run of other inputs:{}\n  put them back, go on with those objects "
      "that are not done (--accept-changed-inputs), throw the run away (--restart), or take "
      "another "
      "directory (--run-dir)",
      folder_.string(), changed));
}

// Products of the discarded run must not be mistaken for those of the new one.
void RunDirectory::clear() {
  if (fs::exists(ledger_file(folder_))) {
    try {
      open_ledger();
      ProductFiles(folder_, *db_).remove_temporaries();
      ProductFiles(folder_, *db_).remove(warn_);
      db_->discard();
    } catch (const RunError& e) {
      // A damaged one. A UsageError goes on: what is not ours is not thrown away.
      warn_(fmt::format("{}\n  its products, if there are any, are left as they are", e.what()));
    }
    db_.reset();
  }
  std::error_code error;
  // First, so that leftovers belong to no run. (SQLite does not apply the journal of a deleted
  // database to a new one.)
  fs::remove(ledger_file(folder_), error);
  for (const auto& entry : fs::directory_iterator(work_folder())) {
    const fs::path name = entry.path().filename();
    if (name != kLock && name != kMark && name != kHolderFile && name != kIndexFolder) {
      remove_all(entry.path());
    }
  }
}

void RunDirectory::remove_all(const fs::path& path) const {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) warn_(fmt::format("{}: cannot be removed: {}", path.string(), error.message()));
}

fs::path RunDirectory::make_chunk_folder(const std::string& label) const {
  const fs::path folder = chunk_folder(folder_, label);
  fs::create_directories(folder);
  return folder;
}

void RunDirectory::remove_stale_chunks() const {
  const fs::path all = work_folder() / kChunks;
  if (!fs::exists(all)) return;
  const auto batches = db_->batches();
  for (const auto& sink : fs::directory_iterator(all)) {
    for (const auto& entry : fs::directory_iterator(sink.path())) {
      const auto chunk = chunk_of(entry.path().filename().string());
      const auto batch = chunk ? batches.find(chunk->first) : batches.end();
      if (batch == batches.end() || batch->second.attempt != chunk->second) {
        remove_all(entry.path());
      }
    }
  }
}

void RunDirectory::remove_chunks(const std::vector<std::string>& labels) const {
  for (const std::string& label : labels) remove_all(chunk_folder(folder_, label));
  std::error_code ignored;
  fs::remove(work_folder() / kChunks, ignored);  // unless it is not empty
}

void RunDirectory::remove_received() const {
  remove_all(work_folder() / kReceivedFolder);
}

}  // namespace qsohost::inline v1
