// Reads files into the page cache before they are opened: a product is made of thousands of small
// ones, and a disk is fast only with many requests at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <thread>

namespace qsohost::inline io_v1 {

class ReadAhead {
 public:
  // Of each file the first `bytes`; 0: all of it. The list must outlive this object. A file that
  // cannot be opened is left to its reader.
  ReadAhead(std::span<const std::filesystem::path> files, std::uint64_t bytes);
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  // The caller is about to open this one.
  void reached(std::size_t file);

 private:
  static constexpr std::size_t kStep = 16;  // files
  static constexpr std::size_t kAhead = 3 * kStep;

  void run(std::uint64_t bytes);

  std::span<const std::filesystem::path> files_;
  std::atomic<std::size_t> allowed_ = kAhead;  // how many of them
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace qsohost::inline io_v1
