#include "files/write_behind.hpp"

#include <fcntl.h>

#include <system_error>

namespace qsohost::inline io_v1 {

WriteBehind::~WriteBehind() {
  stopping_ = true;
  ++written_;  // a thread that waits looks for a change
  written_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void WriteBehind::wrote(std::uint64_t bytes) {
  const std::uint64_t before = written_.fetch_add(bytes);
  if (before / kStep == (before + bytes) / kStep) return;
  std::call_once(once_, [this] { start(); });
  written_.notify_one();
}

void WriteBehind::start() {
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error&) {  // NOLINT(bugprone-empty-catch): it is only slower
  }
}

// A file system that cannot do it leaves all the work to fsync().
void WriteBehind::run() {
  for (std::uint64_t seen = 0; !stopping_; written_.wait(seen)) {
    seen = written_;
    ::sync_file_range(fd_, 0, 0, SYNC_FILE_RANGE_WRITE);
  }
}

}  // namespace qsohost::inline io_v1
