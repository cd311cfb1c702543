#include "votable/base64.hpp"

#include <array>

#include "text/text_rows.hpp"

namespace qsohost::inline io_v1 {

namespace {

constexpr std::uint8_t kNoDigit = 0xFF;

constexpr std::array<std::uint8_t, 256> digit_values() {
  std::array<std::uint8_t, 256> out{};
  out.fill(kNoDigit);
  std::uint8_t value = 0;
  for (const char c :
       std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")) {
    out[static_cast<unsigned char>(c)] = value++;
  }
  return out;
}

constexpr std::array<std::uint8_t, 256> kValues = digit_values();

std::uint32_t value_of(char c) {
  return kValues[static_cast<unsigned char>(c)];
}

void put(std::uint32_t bits, int bytes, std::byte*& out) {
  for (int i = 0; i < bytes; ++i) *out++ = static_cast<std::byte>(bits >> (16 - 8 * i));
}

}  // namespace

std::string_view Base64Decoder::pad(std::byte*& out) {
  if (!is_padded_) {
    if (digits_ < 2) return "a '=' that ends nothing";
    put(bits_ << (6 * (4 - digits_)), digits_ - 1, out);
    missing_padding_ = 4 - digits_;
    digits_ = 0;
    is_padded_ = true;
  }
  if (missing_padding_ == 0) return "more than its end ('=')";
  --missing_padding_;
  return {};
}

std::string_view Base64Decoder::take(char c, std::byte*& out) {
  if (is_blank(c)) return {};
  if (c == '=') return pad(out);
  const std::uint32_t value = value_of(c);
  if (value == kNoDigit) return "a character that base64 does not have";
  if (is_padded_) return "more than its end ('=')";
  bits_ = bits_ << 6 | value;
  if (++digits_ == 4) {
    put(bits_, 3, out);
    digits_ = 0;
    bits_ = 0;
  }
  return {};
}

std::string_view Base64Decoder::decode(std::string_view piece, std::vector<std::byte>& to) {
  const std::size_t before = to.size();
  to.resize(before + piece.size() / 4 * 3 + 3);
  std::byte* out = to.data() + before;
  std::string_view problem;
  for (std::size_t i = 0; i < piece.size() && problem.empty();) {
    if (digits_ == 0 && !is_padded_ && i + 4 <= piece.size()) {
      const std::uint32_t a = value_of(piece[i]);
      const std::uint32_t b = value_of(piece[i + 1]);
      const std::uint32_t c = value_of(piece[i + 2]);
      const std::uint32_t d = value_of(piece[i + 3]);
      if ((a | b | c | d) < 64) {
        put(a << 18 | b << 12 | c << 6 | d, 3, out);
        i += 4;
        continue;
      }
    }
    problem = take(piece[i++], out);
  }
  to.resize(static_cast<std::size_t>(out - to.data()));
  return problem;
}

}  // namespace qsohost::inline io_v1
