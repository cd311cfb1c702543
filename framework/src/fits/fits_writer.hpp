// Writes one table whose size is known in advance. Data comes in large pieces, at any position.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "files/write_behind.hpp"
#include "fits/fits_header.hpp"
#include "fits/fits_layout.hpp"
#include "fits/fits_sum.hpp"
#include "qsohost/io/fits.hpp"

namespace qsohost::inline io_v1 {

// A new file to write. Throws RunError with the system's message.
class FitsOutput {
 public:
  explicit FitsOutput(const std::filesystem::path& file);
  ~FitsOutput();
  FitsOutput(const FitsOutput&) = delete;
  FitsOutput& operator=(const FitsOutput&) = delete;

  void write(std::uint64_t offset, std::span<const std::byte> bytes);
  void close();  // write errors may show only here

 private:
  [[noreturn]] void fail(std::string_view what) const;
  std::string name_;
  int fd_ = -1;
  std::optional<WriteBehind> write_behind_;
};

class FitsWriter {
 public:
  FitsWriter(const std::filesystem::path& file, const FitsHeader& header, const FitsLayout& layout);

  // Threads may write at once, each its own rows and bytes.
  void write_rows(std::uint64_t first, std::span<const std::byte> bytes);
  void write_heap(std::uint64_t offset, std::span<const std::byte> bytes);
  void finish();  // headers with checksums; closes

 private:
  void write(std::uint64_t offset, std::span<const std::byte> bytes);

  FitsOutput file_;
  FitsHeaderText headers_;
  std::uint64_t row_bytes_;
  std::uint64_t heap_start_;
  std::uint64_t data_start_;  // in the file
  std::uint64_t data_bytes_;
  std::mutex sum_mutex_;
  FitsSum sum_;
};

// Collects bytes and passes them on in large pieces.
class BufferedPart {
 public:
  enum class Part : std::uint8_t { Rows, Heap };
  BufferedPart(FitsWriter& writer, Part part, std::uint64_t row_bytes = 1)
      : writer_(writer), part_(part), row_bytes_(row_bytes) {}

  // What comes next is of this row.
  void go_to_row(std::uint64_t row) {
    flush();
    written_ = row * row_bytes_;
  }

  // Room for `bytes` more; for rows, whole rows.
  std::span<std::byte> take(std::size_t bytes) {
    if (used_ + bytes > kPiece) flush();
    if (used_ + bytes > buffer_.size()) buffer_.resize(std::max(kPiece, used_ + bytes));
    used_ += bytes;
    return std::span(buffer_).subspan(used_ - bytes, bytes);
  }
  void flush() {
    if (used_ == 0) return;
    const auto bytes = std::span(buffer_).first(used_);
    if (part_ == Part::Rows) {
      writer_.write_rows(written_ / row_bytes_, bytes);
    } else {
      writer_.write_heap(written_, bytes);
    }
    written_ += used_;
    used_ = 0;
  }
  std::uint64_t size() const { return written_ + used_; }

 private:
  static constexpr std::size_t kPiece = std::size_t{512} << 10;  // stays in the cache
  FitsWriter& writer_;
  Part part_;
  std::uint64_t row_bytes_;
  std::uint64_t written_ = 0;
  std::vector<std::byte> buffer_;
  std::size_t used_ = 0;
};

}  // namespace qsohost::inline io_v1
