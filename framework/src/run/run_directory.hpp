// The folder of a run. The host keeps its own files (ledger, chunks, what sources received) in one
// folder inside it, marked with the run's identifier. Only this folder's contents are ever removed
// recursively; elsewhere the host touches only the products.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "qsohost/host/run.hpp"
#include "run/heartbeat.hpp"
#include "run/run_db.hpp"

namespace qsohost::inline v1 {

// Paths in a run directory, whether there is a run or not.
std::filesystem::path work_folder(const std::filesystem::path& run_dir);  // .qsohost
std::filesystem::path chunk_folder(const std::filesystem::path& run_dir, const std::string& label);
std::filesystem::path ledger_file(const std::filesystem::path& run_dir);  // .qsohost/run.db
// An absolute path without links or dots: "link/../x" means the same as in the shell.
std::filesystem::path resolved(const std::filesystem::path& path);
// Throws UsageError, with advice, for a folder without a run or with one of an earlier version.
void require_run(const std::filesystem::path& run_dir);

// Whether the run directory is a copy of the one that its ledger was made in.
bool is_copy(const std::filesystem::path& run_dir, const RunDb& db);
// A copy is another run: it gets a new identifier, and products outside of it remain the
// original's.
void adopt_copy(const std::filesystem::path& run_dir, RunDb& db);

// Held by one process at a time; released when it ends, however it ends.
class FolderLock {
 public:
  // Throws UsageError if it is held already, RunError if the file system does not support locks.
  explicit FolderLock(const std::filesystem::path& run_dir);
  ~FolderLock();
  static bool is_held(const std::filesystem::path& run_dir);  // by any process
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int file_ = -1;
};

// What differs between two effective chains, "- before" and "+ now", one per line.
std::string difference(const std::vector<std::string>& before, const std::vector<std::string>& now);
// For inputs: a line for each that has changed; "" if none has.
std::string difference(const std::vector<Input>& before, const std::vector<Input>& now);

// What defines a run; it is resumed only if both are unchanged.
struct RunFacts {
  std::vector<std::string> effective;  // the effective chain
  std::vector<Input> inputs;
  // Of an archive: responses may repeat it, and short secrets are stored with them as they are.
  bool uses_secrets = false;
};

class RunDirectory {
 public:
  using Warn = std::function<void(const std::string&)>;

  // Opens or creates the folder according to `options.start`. Throws UsageError with advice: in use
  // by another process, holds a run already, or holds one of another chain or other inputs (with
  // what differs).
  RunDirectory(const RunOptions& options, const RunFacts& facts, Warn warn);
  // For a merge: the folder of merged products, which holds no run.
  RunDirectory(const std::filesystem::path& folder, const RunFacts& facts, Warn warn);

  RunDb& db() { return *db_; }
  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path work_folder() const { return qsohost::work_folder(folder_); }
  const Warn& warn() const { return warn_; }
  // The run goes on although its inputs have changed.
  bool has_changed_inputs() const { return has_changed_inputs_; }

  std::filesystem::path make_chunk_folder(const std::string& label) const;
  // Chunks that the ledger does not know: of aborted or repeated attempts.
  void remove_stale_chunks() const;
  // The chunks of these sinks, by label; and the common folder, if it is then empty. Warns about
  // what cannot be removed.
  void remove_chunks(const std::vector<std::string>& labels) const;
  void remove_received() const;  // files that sources keep in kReceivedFolder

 private:
  void make_folders();
  void make_private() const;
  void clear();
  void open_ledger();
  void require_same(const RunFacts& facts, bool accept_changed_inputs);
  void remove_all(const std::filesystem::path& path) const;

  std::filesystem::path folder_;
  Warn warn_;
  std::unique_ptr<FolderLock> lock_;
  std::unique_ptr<Heartbeat> heartbeat_;
  std::unique_ptr<RunDb> db_;
  bool has_changed_inputs_ = false;
};

}  // namespace qsohost::inline v1
