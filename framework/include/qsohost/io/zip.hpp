// Zip archives in memory, as services send several files in one response.
//
// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT; members that are stored or deflated,
// without encryption, in one part, smaller than 4 GiB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "qsohost/api.hpp"

namespace qsohost::inline io_v1 {

// What is refused, for a few bytes can expand to any size.
struct ZipLimits {
  std::size_t members = 100'000;
  std::uint64_t bytes = std::uint64_t{1} << 30;  // of all members, expanded
  std::uint64_t ratio = 1100;  // of a member, expanded to compressed; deflate reaches 1032
};

struct ZipMember {
  std::string name;  // as the archive spells it; never a path to write to
  std::uint64_t size = 0;
  std::uint64_t compressed = 0;
  std::uint32_t crc = 0;
  std::uint16_t method = 0;
  std::uint64_t header = 0;  // position of its local header
};

// By its central directory, which is at the end: an archive that was cut has none. The text must
// outlive it.
class QSOHOST_API ZipArchive {
 public:
  // Throws TryAgain for a cut or damaged archive, BadObject for one that breaks the limits or that
  // cannot be read.
  explicit ZipArchive(std::string_view bytes, const ZipLimits& limits = {});

  const std::vector<ZipMember>& members() const { return members_; }
  // Throws TryAgain if the member is damaged (its size or its CRC-32 are not as announced).
  std::string read(const ZipMember& member) const;

 private:
  std::string_view bytes_;
  std::vector<ZipMember> members_;
};

// True for a text that begins like a zip archive.
QSOHOST_API bool is_zip(std::string_view bytes);

}  // namespace qsohost::inline io_v1
