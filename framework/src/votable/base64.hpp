// Base64 as it stands in XML: in pieces, with blanks and line ends anywhere. RFC 4648, section 4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace qsohost::inline io_v1 {

class Base64Decoder {
 public:
  // Appends the bytes that `piece` completes. Returns why it is no base64, or "".
  [[nodiscard]] std::string_view decode(std::string_view piece, std::vector<std::byte>& to);
  // False if the text has ended inside of a group of four characters.
  bool is_whole() const { return digits_ == 0 && missing_padding_ == 0; }

 private:
  std::string_view take(char c, std::byte*& out);
  std::string_view pad(std::byte*& out);

  std::uint32_t bits_ = 0;   // of the group that has begun
  int digits_ = 0;           // of that group
  bool is_padded_ = false;   // a '=' has come
  int missing_padding_ = 0;  // '=' that must still come
};

}  // namespace qsohost::inline io_v1
