#include "record_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <qsohost/error.hpp>
#include <qsohost/system_reason.hpp>

namespace wsdb {

namespace {

namespace fs = std::filesystem;

struct Header {
  std::uint64_t length;
  std::uint64_t checksum;  // Place::checksum behind the record
};

// Like FNV-1a, but eight bytes at a time, for gigabytes of data. Every step is invertible, so that
// one wrong word is always detected. Never 0, as a hole in the file would be.
std::uint64_t checksum_of(std::string_view bytes, std::uint64_t before) {
  constexpr std::uint64_t prime = 1099511628211U;
  std::uint64_t sum = (before ^ bytes.size() ^ 14695981039346656037U) * prime;
  while (!bytes.empty()) {
    std::uint64_t word = 0;
    const std::size_t n = std::min(bytes.size(), sizeof word);
    std::memcpy(&word, bytes.data(), n);
    sum = std::rotl((sum ^ word) * prime, 29);
    bytes.remove_prefix(n);
  }
  return sum == 0 ? 1 : sum;
}

}  // namespace

RecordFile::RecordFile(const fs::path& path) {
  if (!path.empty()) {
    name_ = path.string();
    file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file_ < 0) throw_error("cannot be opened");
    return;
  }
  std::string name = (fs::temp_directory_path() / "qsohost-XXXXXX").string();
  file_ = ::mkostemp(name.data(), O_CLOEXEC);
  if (file_ < 0) throw_error("cannot be made");
  ::unlink(name.c_str());
}

RecordFile::~RecordFile() {
  if (file_ >= 0) ::close(file_);
}

void RecordFile::throw_error(std::string_view what) const {
  throw qsohost::RunError(fmt::format("{}: {}: {}", name_, what, qsohost::system_reason(errno)));
}

std::uint64_t RecordFile::size() const {
  struct stat facts {};
  if (::fstat(file_, &facts) != 0) throw_error("cannot be read");
  return static_cast<std::uint64_t>(facts.st_size);
}

// False if the file is too short.
bool RecordFile::read_at(std::uint64_t offset, void* to, std::size_t size) const {
  auto* bytes = static_cast<char*>(to);
  while (size > 0) {
    const ssize_t n = ::pread(file_, bytes, size, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_error("cannot be read");
    if (n == 0) return false;
    bytes += n;
    offset += static_cast<std::uint64_t>(n);
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

bool RecordFile::read(Place& place, std::string& bytes) const {
  Header header{};
  if (!read_at(place.offset, &header, sizeof header)) return false;
  const std::uint64_t begin = place.offset + sizeof header;
  if (header.length > size() - begin) return false;  // before allocating that much memory
  bytes.resize(header.length);
  if (!read_at(begin, bytes.data(), bytes.size())) return false;
  if (header.checksum != checksum_of(bytes, place.checksum)) return false;
  place = {begin + header.length, header.checksum};
  return true;
}

void RecordFile::write(Place& place, std::string_view bytes) {
  const Header header{bytes.size(), checksum_of(bytes, place.checksum)};
  std::string record(sizeof header, '\0');
  std::memcpy(record.data(), &header, sizeof header);
  record += bytes;
  std::string_view left = record;
  std::uint64_t offset = place.offset;
  while (!left.empty()) {
    const ssize_t n = ::pwrite(file_, left.data(), left.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_error("cannot be written");
    offset += static_cast<std::uint64_t>(n);
    left.remove_prefix(static_cast<std::size_t>(n));
  }
  place = {offset, header.checksum};
}

void RecordFile::cut(const Place& place) {
  if (::ftruncate(file_, static_cast<off_t>(place.offset)) != 0) throw_error("cannot be cut");
}

void RecordFile::sync() {
  if (::fdatasync(file_) != 0) throw_error("cannot be written");
}

}  // namespace wsdb
