// Connections to one archive, shared by runs on several hosts through a folder that all of them
// see:
// --share-connections. A run holds a file per connection that it uses:
//
//   owner-<random>  a run: host, job, process. Touched every few seconds
//   slot-<k>        connection k: a hard link to its owner's file; not there: free
//   sweep           likewise, of the only run that removes files of dead runs
//   starving        touched by a run that holds no slot and wants one
//   pause           for how many seconds, since it was written, the archive asked not to be asked
//   clock           touched to learn the time of the file system
//
// link() fails if its target exists, on NFS too, and gives a slot with its owner's text and time
// at once. Times are compared by the file system's own clock, since clocks of hosts differ, and
// through files that were just opened, since NFS clients remember times of others for a while.
//
// A run that was stopped for so long that others took its slots finds out before its next request.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "base/this_process.hpp"

namespace qsohost::inline v1 {

// Of one run; used by one thread. All functions but the destructor throw RunError.
class ConnectionLease {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Seconds = std::chrono::duration<double>;
  static constexpr Seconds kLongestPause{300};  // whatever the file says

  // Throws UsageError for a folder in which connections cannot be shared.
  static void require_usable(const std::filesystem::path& folder);

  // `archive`: its name makes the folder's in `folder`.
  ConnectionLease(const std::filesystem::path& folder, const std::string& archive);
  ~ConnectionLease();
  ConnectionLease(const ConnectionLease&) = delete;
  ConnectionLease& operator=(const ConnectionLease&) = delete;

  void cap(int most);  // only ever lowers the limit; 0: none
  // True if the run may use so many connections, which may mean taking free ones. At times it may
  // not use one more though one is free, for others wait for it.
  bool cover(std::size_t count, Time now);
  // So many are in use: returns the others, and gives the sign of life.
  void keep(std::size_t count, Time now);
  // The archive asks all to wait so long.
  void pause(Seconds wait);
  Seconds pause_left(Time now);  // looks once a second; 0: none

 private:
  void make_owner();
  void beat(Time now);
  void recount();
  bool claim(Time now);
  void release();
  bool must_give_way(Time now);
  void wait_longer(Time now);
  void sweep();

  bool is_mine(const std::filesystem::path& file) const;
  bool is_dead(const std::filesystem::path& file) const;
  std::filesystem::path slot(int index) const;

  std::filesystem::path folder_;
  std::filesystem::path owner_;
  ProcessMark process_;
  std::mt19937_64 random_;
  int most_;
  std::vector<int> slots_;  // that it holds
  Time held_since_{};       // since it held none, or gave way
  Time last_beat_{};
  Time try_at_{};
  Seconds wait_;  // after the next attempt
  Time sweep_at_{};
  Time look_at_{};  // for a pause
  Time paused_until_{};
};

}  // namespace qsohost::inline v1
