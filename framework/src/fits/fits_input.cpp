#include "fits/fits_input.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <utility>
#include <vector>

#include "qsohost/io/fits.hpp"

namespace qsohost::inline io_v1 {

namespace {

// Holds an unpacked gzip file; it disappears with its descriptor.
int nameless_file(const std::string& name) {
  std::string pattern = (std::filesystem::temp_directory_path() / "qsohost-XXXXXX").string();
  const int fd = ::mkstemp(pattern.data());
  if (fd < 0) {
    throw RunError(fmt::format("{}: no temporary file to unpack it to ({}): {}", name, pattern,
                               std::strerror(errno)));
  }
  ::unlink(pattern.c_str());
  return fd;
}

void write_all(int fd, const char* from, std::size_t bytes, const std::string& name) {
  while (bytes > 0) {
    const ssize_t n = ::write(fd, from, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      throw RunError(fmt::format("{}: cannot be unpacked into {}: {}", name,
                                 std::filesystem::temp_directory_path().string(),
                                 std::strerror(errno)));
    }
    from += n;
    bytes -= static_cast<std::size_t>(n);
  }
}

}  // namespace

FitsInput::FitsInput(const std::filesystem::path& file) : name_(file.string()) {
  fd_ = ::open(name_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd_ < 0) {
    if (errno == ENOENT) fail("there is no such file");
    fail(fmt::format("cannot be opened as FITS: {}", std::strerror(errno)));
  }
  struct stat info {};
  ::fstat(fd_, &info);
  try {
    if (S_ISDIR(info.st_mode)) fail("is a folder, not a FITS file");
    if (!S_ISREG(info.st_mode)) fail("is not a file");
    size_ = static_cast<std::uint64_t>(info.st_size);
    std::array<char, 9> start{};
    const ssize_t n = ::pread(fd_, start.data(), start.size(), 0);
    const std::string_view text(start.data(), static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    if (text.starts_with("\x1f\x8b")) {
      unpack();
    } else if (text != "SIMPLE  =") {
      fail("cannot be opened as FITS: it does not begin as a FITS file does");
    }
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

FitsInput::FitsInput(FitsInput&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), name_(std::move(other.name_)), size_(other.size_) {}

FitsInput::~FitsInput() {
  if (fd_ >= 0) ::close(fd_);
}

void FitsInput::fail(std::string_view what) const {
  throw RunError(fmt::format("{}: {}", name_, what));
}

void FitsInput::unpack() {
  const int fd = nameless_file(name_);
  gzFile in = ::gzdopen(std::exchange(fd_, fd), "rb");  // closes the packed file
  std::vector<char> buffer(std::size_t{1} << 20);
  size_ = 0;
  int n = 0;
  try {
    while ((n = ::gzread(in, buffer.data(), static_cast<unsigned>(buffer.size()))) > 0) {
      write_all(fd_, buffer.data(), static_cast<std::size_t>(n), name_);
      size_ += static_cast<std::uint64_t>(n);
    }
  } catch (...) {
    ::gzclose(in);
    throw;
  }
  const bool is_whole = ::gzclose(in) == Z_OK && n == 0;
  if (!is_whole) fail("is gzipped, but damaged or cut short; get it again");
}

void FitsInput::read(std::uint64_t offset, std::span<std::byte> to) const {
  while (!to.empty()) {
    const ssize_t n = ::pread(fd_, to.data(), to.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(fmt::format("cannot be read at byte {}: {}", offset, std::strerror(errno)));
    if (n == 0) fail(fmt::format("is cut short: it ends at byte {}", offset));
    offset += static_cast<std::uint64_t>(n);
    to = to.subspan(static_cast<std::size_t>(n));
  }
}

bool looks_like_fits(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::array<char, 9> start{};
  in.read(start.data(), start.size());
  const std::string_view text(start.data(), static_cast<std::size_t>(in.gcount()));
  return text == "SIMPLE  =" || text.starts_with("\x1f\x8b");
}

}  // namespace qsohost::inline io_v1
