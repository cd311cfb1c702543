#include "files/read_ahead.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <system_error>

namespace qsohost::inline io_v1 {

ReadAhead::ReadAhead(std::span<const std::filesystem::path> files, std::uint64_t bytes)
    : files_(files) {
  if (files.size() < 2) return;
  try {
    thread_ = std::thread([this, bytes] { run(bytes); });
  } catch (const std::system_error&) {  // NOLINT(bugprone-empty-catch): it is only slower
  }
}

ReadAhead::~ReadAhead() {
  stopping_ = true;
  reached(files_.size());
  if (thread_.joinable()) thread_.join();
}

void ReadAhead::reached(std::size_t file) {
  if (file % kStep != 0 && !stopping_) return;
  allowed_ = file + kAhead;
  allowed_.notify_one();
}

void ReadAhead::run(std::uint64_t bytes) {
  for (std::size_t i = 0; i < files_.size() && !stopping_; ++i) {
    for (std::size_t allowed = allowed_; i >= allowed; allowed = allowed_) allowed_.wait(allowed);
    const int fd = ::open(files_[i].c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) continue;
    ::posix_fadvise(fd, 0, static_cast<off_t>(bytes), POSIX_FADV_WILLNEED);
    ::close(fd);
  }
}

}  // namespace qsohost::inline io_v1
