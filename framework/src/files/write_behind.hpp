// Has the disk write a file while more of it comes, so that fsync() of a large file has little left
// to wait for.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>

namespace qsohost::inline io_v1 {

class WriteBehind {
 public:
  // `fd` must stay open as long as this object lives.
  explicit WriteBehind(int fd) : fd_(fd) {}
  ~WriteBehind();
  WriteBehind(const WriteBehind&) = delete;
  WriteBehind& operator=(const WriteBehind&) = delete;

  void wrote(std::uint64_t bytes);  // from any thread

 private:
  static constexpr std::uint64_t kStep = std::uint64_t{16} << 20;  // bytes; a small file has none

  void start();
  void run();

  int fd_;
  std::atomic<std::uint64_t> written_ = 0;  // bytes
  std::atomic<bool> stopping_ = false;
  std::once_flag once_;
  std::thread thread_;
};

}  // namespace qsohost::inline io_v1
