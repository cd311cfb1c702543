// Zip files (APPNOTE 6.3), without encryption or ZIP64.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace qsohost::skysim {

struct ZipMember {
  std::string name;
  std::string content;
};

enum class ZipMethod : std::uint16_t { Stored = 0, Deflated = 8 };

struct Zip {
  std::string bytes;
  std::size_t directory = 0;  // where the central directory begins
};
// Sizes and checksums stand behind each deflated member (in a data descriptor) and not in its
// header, as ESA's archive, which writes without seeking, has them.
Zip write_zip(const std::vector<ZipMember>& members, ZipMethod method);

}  // namespace qsohost::skysim
