#include "qsohost/io/zip.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

#include "qsohost/error.hpp"

namespace qsohost::inline io_v1 {

namespace {

constexpr std::uint32_t kLocal = 0x04034b50;
constexpr std::uint32_t kEntry = 0x02014b50;
constexpr std::uint32_t kEnd = 0x06054b50;
constexpr std::size_t kLocalSize = 30;
constexpr std::size_t kEntrySize = 46;
constexpr std::size_t kEndSize = 22;
constexpr std::size_t kLongestComment = 0xffff;
constexpr std::uint16_t kStored = 0;
constexpr std::uint16_t kDeflated = 8;

[[noreturn]] void damaged(const std::string& what) {
  throw TryAgain("the zip archive is cut or damaged: " + what);
}

// Little-endian integers at a position.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}

  std::string_view part(std::uint64_t at, std::uint64_t size) const {
    if (at > bytes_.size() || size > bytes_.size() - at) {
      damaged(fmt::format("it should have {} bytes at byte {}, and has {} in all", size, at,
                          bytes_.size()));
    }
    return bytes_.substr(at, size);
  }
  std::uint32_t u32(std::uint64_t at) const { return number(at, 4); }
  std::uint16_t u16(std::uint64_t at) const { return static_cast<std::uint16_t>(number(at, 2)); }

 private:
  std::uint32_t number(std::uint64_t at, std::size_t size) const {
    const std::string_view in = part(at, size);
    std::uint32_t value = 0;
    for (std::size_t i = size; i-- > 0;) value = value << 8 | static_cast<unsigned char>(in[i]);
    return value;
  }
  std::string_view bytes_;
};

// The end record is the last thing in an archive, but for a comment.
std::size_t end_record(std::string_view bytes) {
  if (bytes.size() < kEndSize) damaged("it is shorter than its end record");
  const Bytes in(bytes);
  const std::size_t last = bytes.size() - kEndSize;
  for (std::size_t back = 0; back <= std::min(last, kLongestComment); ++back) {
    const std::size_t at = last - back;
    if (in.u32(at) == kEnd && in.u16(at + 20) == back) return at;
  }
  damaged("its end record is missing");
}

ZipMember read_entry(const Bytes& in, std::uint64_t at) {
  if (in.u32(at) != kEntry) damaged("its directory is not where it should be");
  ZipMember member;
  const std::uint16_t flags = in.u16(at + 8);
  member.method = in.u16(at + 10);
  member.crc = in.u32(at + 16);
  member.compressed = in.u32(at + 20);
  member.size = in.u32(at + 24);
  member.header = in.u32(at + 42);
  member.name = in.part(at + kEntrySize, in.u16(at + 28));
  if ((flags & 1) != 0)
    throw BadObject(fmt::format("zip: {} is encrypted; save it without", member.name));
  if (member.method != kStored && member.method != kDeflated) {
    throw BadObject(fmt::format(
        "zip: {} is compressed by method {}, which is not known; save it by deflate (8)",
        member.name, member.method));
  }
  constexpr std::uint32_t in_zip64 = 0xffffffff;
  if (std::max({member.compressed, member.size, member.header}) == in_zip64) {
    throw BadObject(
        fmt::format("zip: {} is 4 GiB or more (zip64); ask for less at once", member.name));
  }
  return member;
}

void check(const ZipMember& member, const ZipLimits& limits) {
  if (member.size <= limits.ratio * std::max<std::uint64_t>(member.compressed, 1)) return;
  throw BadObject(fmt::format(
      "zip: {} would expand from {} bytes to {}; no table does so, report it to the archive",
      member.name, member.compressed, member.size));
}

// To exactly `size` bytes.
std::string inflated(std::string_view data, std::uint64_t size, const std::string& name) {
  std::string out(size, '\0');
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
    throw RunError("zlib: out of memory; free some memory, or raise its limit");
  // zlib does not change its input, though its type says so.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast,cppcoreguidelines-pro-type-reinterpret-cast)
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(size);
  const int end = inflate(&stream, Z_FINISH);
  const bool is_whole = end == Z_STREAM_END && stream.total_out == size;
  inflateEnd(&stream);
  if (!is_whole) damaged(fmt::format("{} cannot be decompressed", name));
  return out;
}

}  // namespace

ZipArchive::ZipArchive(std::string_view bytes, const ZipLimits& limits) : bytes_(bytes) {
  const Bytes in(bytes);
  const std::size_t end = end_record(bytes);
  const std::size_t count = in.u16(end + 10);
  if (in.u16(end + 4) != 0 || in.u16(end + 8) != count) {
    throw BadObject("zip: the archive has several parts; save it as one");
  }
  if (count > limits.members) {
    throw BadObject(
        fmt::format("zip: {} members; there must be {} at most", count, limits.members));
  }
  std::uint64_t at = in.u32(end + 16);
  std::uint64_t size = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const ZipMember& member = members_.emplace_back(read_entry(in, at));
    check(member, limits);
    size += member.size;
    at += kEntrySize + member.name.size() + in.u16(at + 30) + in.u16(at + 32);
  }
  if (at != end) damaged("its directory has another size than announced");
  if (size > limits.bytes) {
    throw BadObject(
        fmt::format("zip: {} bytes expanded; there must be {} at most", size, limits.bytes));
  }
}

std::string ZipArchive::read(const ZipMember& member) const {
  const Bytes in(bytes_);
  if (in.u32(member.header) != kLocal) damaged(member.name + " is not where it should be");
  // The lengths of name and extra field may differ from those in the directory.
  const std::uint64_t begin =
      member.header + kLocalSize + in.u16(member.header + 26) + in.u16(member.header + 28);
  const std::string_view data = in.part(begin, member.compressed);
  std::string content;
  if (member.method == kDeflated) {
    content = inflated(data, member.size, member.name);
  } else if (data.size() == member.size) {
    content = data;
  } else {
    damaged(fmt::format("{} has two sizes", member.name));
  }
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
  const auto* raw = reinterpret_cast<const Bytef*>(content.data());
  if (crc32_z(0, raw, content.size()) != member.crc) {
    damaged(fmt::format("the checksum of {} is wrong", member.name));
  }
  return content;
}

bool is_zip(std::string_view bytes) {
  return bytes.starts_with("PK\x03\x04") || bytes.starts_with("PK\x05\x06");
}

}  // namespace qsohost::inline io_v1
