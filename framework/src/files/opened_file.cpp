#include "files/opened_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "base/interrupted.hpp"
#include "qsohost/system_reason.hpp"

namespace qsohost::inline io_v1 {

namespace {

// A few kB of gzip can expand to a full disk. Tables of real data are 3 to 20 times as large as
// their gzip; deflate reaches 1032.
constexpr std::uint64_t kMostExpanded = 200;
constexpr std::uint64_t kHarmless = std::uint64_t{64} << 20;  // bytes, however few they came from
constexpr std::uint64_t kBetweenLooks = std::uint64_t{32} << 20;  // for an interrupt: 0.1 s or so

}  // namespace

int nameless_file(const std::string& name) {
  std::string pattern = (std::filesystem::temp_directory_path() / "qsohost-XXXXXX").string();
  const int fd = ::mkstemp(pattern.data());
  if (fd < 0) {
    throw RunError(
        fmt::format("{}: cannot make a temporary file for it ({}): {}; set TMPDIR to a folder with "
                    "room",
                    name, pattern, std::strerror(errno)));
  }
  ::unlink(pattern.c_str());
  return fd;
}

void write_all(int fd, std::span<const std::byte> bytes, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      throw RunError(fmt::format(
          "{}: a temporary copy cannot be written into {}: {}; set TMPDIR to a folder with room",
          name, std::filesystem::temp_directory_path().string(), std::strerror(errno)));
    }
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

OpenedFile::OpenedFile(const std::filesystem::path& file, const FirstLook& look)
    : name_(file.string()) {
  // A pipe without a writer must not block.
  fd_ = ::open(name_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd_ < 0) {
    fail(errno == ENOENT ? "there is no such file; check the path"
                         : "cannot be opened: " + system_reason(errno));
  }
  try {
    check();
    if (head(2) == "\x1f\x8b") unpack(look);
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

OpenedFile::OpenedFile(std::string name, std::string_view content)
    : fd_(nameless_file(name)), name_(std::move(name)), size_(content.size()) {
  try {
    write_all(fd_, std::as_bytes(std::span(content)), name_);
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

OpenedFile::OpenedFile(OpenedFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      name_(std::move(other.name_)),
      size_(other.size_),
      map_(std::exchange(other.map_, nullptr)),
      forgotten_(other.forgotten_) {}

OpenedFile::~OpenedFile() {
  if (map_ != nullptr) ::munmap(map_, size_);
  if (fd_ >= 0) ::close(fd_);
}

void OpenedFile::fail(std::string_view what) const {
  throw RunError(fmt::format("{}: {}", name_, what));
}

void OpenedFile::check() {
  struct stat info {};
  if (::fstat(fd_, &info) != 0) fail("cannot be read: " + system_reason(errno));
  if (S_ISDIR(info.st_mode)) fail("is a folder, not a file");
  if (!S_ISREG(info.st_mode)) {
    fail("is a pipe or a device, not a file; a table is read several times, so save it first");
  }
  size_ = static_cast<std::uint64_t>(info.st_size);
  if (size_ == 0) fail("is empty: it has not one byte; get it again");
}

void OpenedFile::unpack(const FirstLook& look) {
  const std::uint64_t packed = size_;
  const int fd = nameless_file(name_);
  gzFile in = ::gzdopen(std::exchange(fd_, fd), "rb");  // closes the packed file
  std::vector<std::byte> buffer(std::size_t{1} << 20);
  size_ = 0;
  int n = 0;
  try {
    while ((n = ::gzread(in, buffer.data(), static_cast<unsigned>(buffer.size()))) > 0) {
      write_all(fd_, std::span(buffer).first(static_cast<std::size_t>(n)), name_);
      const bool is_first = size_ == 0;
      size_ += static_cast<std::uint64_t>(n);
      if (is_first && look) look(*this);
      if (size_ > kHarmless && size_ > kMostExpanded * static_cast<std::uint64_t>(::gzoffset(in))) {
        fail(
            fmt::format("is gzipped, {} bytes, and its first {} bytes expand to more than {} times "
                        "as many, as no table does; if it is one, unpack it first (gunzip)",
                        packed, ::gzoffset(in), kMostExpanded));
      }
      if (size_ % kBetweenLooks < buffer.size()) throw_if_interrupted();
    }
  } catch (...) {
    ::gzclose(in);
    throw;
  }
  const bool is_whole = ::gzclose(in) == Z_OK && n == 0;
  if (!is_whole) fail("is gzipped, but damaged or cut short; get it again");
  if (size_ == 0) fail("is gzipped, and there is nothing in it; get it again");
}

void OpenedFile::read(std::uint64_t offset, std::span<std::byte> to) const {
  while (!to.empty()) {
    const ssize_t n = ::pread(fd_, to.data(), to.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(fmt::format("cannot be read at byte {}: {}", offset, system_reason(errno)));
    if (n == 0) fail(fmt::format("is cut short: it ends at byte {}; get it again", offset));
    offset += static_cast<std::uint64_t>(n);
    to = to.subspan(static_cast<std::size_t>(n));
  }
}

std::string OpenedFile::head(std::size_t count) const {
  std::string bytes(std::min<std::uint64_t>(count, size_), '\0');
  read(0, std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

std::string_view OpenedFile::text() {
  if (map_ == nullptr && size_ > 0) {
    void* map = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd_, 0);
    if (map == MAP_FAILED) fail("cannot be read: " + system_reason(errno));
    map_ = map;
    ::madvise(map_, size_, MADV_SEQUENTIAL);
  }
  return {static_cast<const char*>(map_), size_};
}

void OpenedFile::forget_before(const char* position) {
  constexpr std::uint64_t kPiece = std::uint64_t{1} << 20;
  const auto* begin = static_cast<const char*>(map_);
  if (position < begin || position > begin + size_) return;  // of a cell that was rewritten
  const std::uint64_t whole = static_cast<std::uint64_t>(position - begin) / kPiece * kPiece;
  if (whole < forgotten_) forgotten_ = 0;  // the reader has gone back
  if (whole == forgotten_) return;
  ::madvise(static_cast<char*>(map_) + forgotten_, whole - forgotten_, MADV_DONTNEED);
  forgotten_ = whole;
}

}  // namespace qsohost::inline io_v1
