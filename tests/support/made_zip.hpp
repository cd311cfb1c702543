// A zip archive of a test's own.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

inline std::string made_zip(const std::vector<std::pair<std::string, std::string>>& members,
                            bool is_deflated = true) {
  const auto number = [](std::uint64_t value, int bytes) {
    std::string out;
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
    return out;
  };
  std::string out;
  std::string directory;
  for (const auto& [name, content] : members) {
    std::string data = content;
    if (is_deflated) {
      data.resize(compressBound(content.size()) + 16);
      z_stream stream{};
      deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
      std::string copy = content;
      stream.next_in = reinterpret_cast<Bytef*>(copy.data());
      stream.avail_in = static_cast<uInt>(copy.size());
      stream.next_out = reinterpret_cast<Bytef*>(data.data());
      stream.avail_out = static_cast<uInt>(data.size());
      deflate(&stream, Z_FINISH);
      data.resize(stream.total_out);
      deflateEnd(&stream);
    }
    const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size());
    // Method, time, CRC, sizes, length of the name, no extra field.
    const std::string about = number(is_deflated ? 8 : 0, 2) + number(0, 4) + number(crc, 4) +
                              number(data.size(), 4) + number(content.size(), 4) +
                              number(name.size(), 2) + number(0, 2);
    directory += "PK\x01\x02" + number(20, 2) + number(20, 2) + number(0, 2) + about +
                 number(0, 2) + number(0, 2) + number(0, 2) + number(0, 4) + number(out.size(), 4) +
                 name;
    out += "PK\x03\x04" + number(20, 2) + number(0, 2) + about + name + data;
  }
  const std::size_t start = out.size();
  out += directory;
  return out + "PK\x05\x06" + number(0, 4) + number(members.size(), 2) + number(members.size(), 2) +
         number(directory.size(), 4) + number(start, 4) + number(0, 2);
}
