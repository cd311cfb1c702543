// The folder of a run: its lock, its ledger and its chunks.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "qsohost/run.hpp"
#include "run/run_db.hpp"

namespace qsohost::inline v1 {

// Held by one process at a time, and gone with it however it ends.
class FolderLock {
 public:
  explicit FolderLock(const std::filesystem::path& folder);  // throws ChainError if held already
  ~FolderLock();
  static bool is_held(const std::filesystem::path& folder);  // by anybody
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int file_ = -1;
};

// What differs between two chains in force, "- before" and "+ now", a line each.
std::string difference(const std::vector<std::string>& before, const std::vector<std::string>& now);

class RunDirectory {
 public:
  // Opens or makes the folder as `start` says; `effective` is the chain in force. Throws ChainError
  // with what to do: in use by another process, holds a run already, or holds one of another chain
  // (with the lines that differ).
  RunDirectory(const std::filesystem::path& folder, StartMode start,
               const std::vector<std::string>& effective);

  RunDb& db() { return *db_; }
  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path make_chunk_folder(const std::string& label) const;
  // Of the sinks of these labels; and the folder of all, if nothing is left in it.
  void remove_chunks(const std::vector<std::string>& labels) const;
  void remove_received() const;  // what sources have kept in kReceivedFolder

 private:
  void clear() const;

  std::filesystem::path folder_;
  std::unique_ptr<FolderLock> lock_;
  std::unique_ptr<RunDb> db_;
};

}  // namespace qsohost::inline v1
