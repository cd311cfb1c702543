#include "archives/zip.hpp"

#include <zlib.h>

#include "qsohost/error.hpp"

namespace qsohost::skysim {

namespace {

constexpr std::uint16_t kVersion = 20;                            // needed to extract: 2.0
constexpr std::uint16_t kHasDescriptor = 1 << 3;                  // flag
constexpr std::uint16_t kIsUtf8 = 1 << 11;                        // flag
constexpr std::uint16_t kDate = (2026 - 1980) << 9 | 1 << 5 | 1;  // always the same: equal bytes

void put16(std::string& out, std::size_t value) {
  out += static_cast<char>(value & 0xff);
  out += static_cast<char>(value >> 8 & 0xff);
}
void put32(std::string& out, std::size_t value) {
  put16(out, value & 0xffff);
  put16(out, value >> 16);
}

std::string deflated(const std::string& text) {
  z_stream stream{};
  constexpr int kRaw = -15;  // the largest window, without a header
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kRaw, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw RunError("zlib cannot begin");
  }
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

struct Entry {
  std::uint16_t flags = kIsUtf8;
  std::size_t checksum = 0;
  std::size_t packed = 0;
  std::size_t size = 0;
};

void put_sizes(std::string& out, const Entry& entry) {
  put32(out, entry.checksum);
  put32(out, entry.packed);
  put32(out, entry.size);
}

// What local header and central directory have in common.
void put_entry(std::string& out, const Entry& entry, ZipMethod method, const std::string& name,
               bool has_sizes) {
  put16(out, kVersion);
  put16(out, entry.flags);
  put16(out, static_cast<std::size_t>(method));
  put16(out, 0);  // time
  put16(out, kDate);
  put_sizes(out, has_sizes ? entry : Entry{});
  put16(out, name.size());
  put16(out, 0);  // extra field
}

}  // namespace

Zip write_zip(const std::vector<ZipMember>& members, ZipMethod method) {
  std::string out;
  std::string directory;
  for (const ZipMember& member : members) {
    const bool is_stored = method == ZipMethod::Stored;
    const std::string packed = is_stored ? member.content : deflated(member.content);
    Entry entry{kIsUtf8, 0, packed.size(), member.content.size()};
    if (!is_stored) entry.flags |= kHasDescriptor;
    entry.checksum = crc32(0, reinterpret_cast<const Bytef*>(member.content.data()),
                           static_cast<uInt>(member.content.size()));
    const std::size_t begin = out.size();
    put32(out, 0x04034b50);
    put_entry(out, entry, method, member.name, is_stored);
    out += member.name + packed;
    if (!is_stored) {
      put32(out, 0x08074b50);
      put_sizes(out, entry);
    }
    put32(directory, 0x02014b50);
    put16(directory, kVersion);  // made by
    put_entry(directory, entry, method, member.name, true);
    put16(directory, 0);  // comment
    put16(directory, 0);  // disk
    put16(directory, 0);  // internal attributes
    put32(directory, 0);  // external attributes
    put32(directory, begin);
    directory += member.name;
  }
  Zip zip{std::move(out), 0};
  zip.directory = zip.bytes.size();
  zip.bytes += directory;
  put32(zip.bytes, 0x06054b50);
  put16(zip.bytes, 0);  // disk
  put16(zip.bytes, 0);  // disk of the directory
  put16(zip.bytes, members.size());
  put16(zip.bytes, members.size());
  put32(zip.bytes, directory.size());
  put32(zip.bytes, zip.directory);
  put16(zip.bytes, 0);  // comment
  return zip;
}

}  // namespace qsohost::skysim
