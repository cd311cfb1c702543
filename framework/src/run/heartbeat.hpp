// Who works in a run directory: a file beside its lock, written again every few seconds. It names
// the process in messages, and where locks do not reach other hosts (Lustre with localflock, NFS
// with local_lock) it is what keeps two hosts apart.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "qsohost/host/run.hpp"

namespace qsohost::inline v1 {

inline constexpr const char* kHolderFile = "holder";  // in the host's folder

// None if there is no such file. A process that ended by itself has removed it.
std::optional<RunHolder> read_holder(const std::filesystem::path& work);
// It is on another host, and was alive lately by this host's clock.
bool is_alive_elsewhere(const RunHolder& holder);
std::string name_of(const RunHolder& holder);  // "job 12_3, host n1, process 77"

class Heartbeat {
 public:
  // For the holder of the folder's lock. If the file names another host, waits to see whether it is
  // still written there: then throws UsageError. Throws RunError if it cannot be written.
  explicit Heartbeat(const std::filesystem::path& work);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

 private:
  void beat(const std::stop_token& stop);

  std::filesystem::path file_;
  std::mutex mutex_;
  std::condition_variable_any waiting_;
  std::jthread thread_;
};

}  // namespace qsohost::inline v1
