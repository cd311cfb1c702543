// A file opened for reading. A gzipped one is unpacked into an unnamed temporary file first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "qsohost/error.hpp"

namespace qsohost::inline io_v1 {

class OpenedFile {
 public:
  // Throws what the file is refused with.
  using FirstLook = std::function<void(const OpenedFile& begin)>;

  // Throws RunError if it is not there, is no file (a folder, a pipe), is empty, cannot be read, or
  // is gzipped and damaged. Before all of a gzipped one is unpacked, `look` sees its first bytes:
  // a MB, or all if they are fewer.
  explicit OpenedFile(const std::filesystem::path& file, const FirstLook& look = {});
  // A temporary file with this content, called `name` in messages.
  OpenedFile(std::string name, std::string_view content);
  ~OpenedFile();
  OpenedFile(OpenedFile&& other) noexcept;
  OpenedFile& operator=(OpenedFile&&) = delete;

  const std::string& name() const { return name_; }
  std::uint64_t size() const { return size_; }
  void read(std::uint64_t offset, std::span<std::byte> to) const;
  // The first bytes, at most `count`.
  std::string head(std::size_t count) const;
  // All bytes, mapped into memory.
  std::string_view text();
  // Gives back the mapped pages before `position`; a later access loads them again.
  void forget_before(const char* position);
  // Throws RunError: "FILE: what".
  [[noreturn]] void fail(std::string_view what) const;

 private:
  void check();
  void unpack(const FirstLook& look);

  int fd_ = -1;
  std::string name_;
  std::uint64_t size_ = 0;
  void* map_ = nullptr;
  std::uint64_t forgotten_ = 0;
};

// An unnamed temporary file in TMPDIR, for `name` (of messages); it disappears with its descriptor.
int nameless_file(const std::string& name);
// Writes all bytes. Throws RunError, which names the file and the folder of temporary files.
void write_all(int fd, std::span<const std::byte> bytes, const std::string& name);

}  // namespace qsohost::inline io_v1
