// The folder of a run. What the host keeps for itself (ledger, chunks, what sources received) is in
// one folder inside it, marked with the run's identifier. Only what is in there is ever removed
// with all it contains; of the rest the host touches the products alone.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "qsohost/host/run.hpp"
#include "run/run_db.hpp"

namespace qsohost::inline v1 {

// Paths in a run directory, whether there is a run or not.
std::filesystem::path work_folder(const std::filesystem::path& run_dir);  // .qsohost
std::filesystem::path ledger_file(const std::filesystem::path& run_dir);  // .qsohost/run.db
// An absolute path without links or dots: "link/../x" is what it is for the shell.
std::filesystem::path resolved(const std::filesystem::path& path);
// Throws UsageError, with advice, for a folder that holds no run or one of an earlier version.
void require_run(const std::filesystem::path& run_dir);

// A copy of a run directory is another run: its identifier becomes another, and products outside of
// it stay the original's.
void adopt_copy(const std::filesystem::path& run_dir, RunDb& db);

// A new one in the host's folder, for the time of a merge.
std::filesystem::path make_temporary_folder(const std::filesystem::path& work);

// Held by one process at a time, and gone with it however it ends.
class FolderLock {
 public:
  // Throws UsageError if it is held already, RunError if the file system knows no
  // locks.
  explicit FolderLock(const std::filesystem::path& run_dir);
  ~FolderLock();
  static bool is_held(const std::filesystem::path& run_dir);  // by any process
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int file_ = -1;
};

// What differs between two chains in force, "- before" and "+ now", a line each.
std::string difference(const std::vector<std::string>& before, const std::vector<std::string>& now);
// Of inputs: a line for each that is another one now; "" if none is.
std::string difference(const std::vector<Input>& before, const std::vector<Input>& now);

// What a run is made of; it goes on only where both are what they were.
struct RunFacts {
  std::vector<std::string> effective;  // the chain in force
  std::vector<Input> inputs;
};

class RunDirectory {
 public:
  using Warn = std::function<void(const std::string&)>;

  // Opens or makes the folder as `options.start` says. Throws UsageError with what to do: in use by
  // another process, holds a run already, or holds one of another chain or of other inputs (with
  // what differs).
  RunDirectory(const RunOptions& options, const RunFacts& facts, Warn warn);
  // For a merge: the folder of merged products, which holds no run.
  RunDirectory(const std::filesystem::path& folder, const RunFacts& facts, Warn warn);

  RunDb& db() { return *db_; }
  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path work_folder() const { return qsohost::work_folder(folder_); }
  const Warn& warn() const { return warn_; }
  // The run goes on although its inputs are others now.
  bool has_changed_inputs() const { return has_changed_inputs_; }

  std::filesystem::path chunk_folder(const std::string& label) const;
  std::filesystem::path make_chunk_folder(const std::string& label) const;
  // Chunks that the ledger does not know: of attempts that were broken off or done again.
  void remove_stale_chunks() const;
  // Of the sinks of these labels; and the folder of all, if nothing is left in it. What cannot be
  // removed is warned of.
  void remove_chunks(const std::vector<std::string>& labels) const;
  void remove_received() const;  // what sources have kept in kReceivedFolder

 private:
  void make_folders();
  void clear();
  void open_ledger();
  void require_same(const RunFacts& facts, bool accept_changed_inputs);
  void remove_all(const std::filesystem::path& path) const;

  std::filesystem::path folder_;
  Warn warn_;
  std::unique_ptr<FolderLock> lock_;
  std::unique_ptr<RunDb> db_;
  bool has_changed_inputs_ = false;
};

}  // namespace qsohost::inline v1
