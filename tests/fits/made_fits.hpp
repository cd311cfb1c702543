// FITS files as other programs write them, from header cards and bytes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace made {

// The big-endian bytes of an integer.
template <class T>
std::string bytes(T value) {
  std::string out;
  for (int shift = 8 * (static_cast<int>(sizeof value) - 1); shift >= 0; shift -= 8) {
    out += static_cast<char>((static_cast<std::uint64_t>(value) >> shift) & 0xff);
  }
  return out;
}

inline std::string padded(std::string text, char fill) {
  text.resize((text.size() + 2879) / 2880 * 2880, fill);
  return text;
}

// Cards such as "TFORM1  = '6A'".
inline std::string header(const std::vector<std::string>& cards) {
  std::string out;
  for (const std::string& card : cards) out += fmt::format("{:<80}", card);
  return padded(out + fmt::format("{:<80}", "END"), ' ');
}

inline std::string primary() {
  return header({"SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 0", "EXTEND  = T"});
}

// A table of `rows` and what is in its heap; `columns` are the cards that describe its columns.
inline std::string table(std::vector<std::string> columns, const std::vector<std::string>& rows,
                         std::string_view heap = "", std::string_view kind = "BINTABLE") {
  const auto count = std::ranges::count_if(
      columns, [](const std::string& card) { return card.starts_with("TFORM"); });
  std::vector<std::string> cards{fmt::format("XTENSION= '{}'", kind),
                                 "BITPIX  = 8",
                                 "NAXIS   = 2",
                                 fmt::format("NAXIS1  = {}", rows.empty() ? 0 : rows[0].size()),
                                 fmt::format("NAXIS2  = {}", rows.size()),
                                 fmt::format("PCOUNT  = {}", heap.size()),
                                 "GCOUNT  = 1",
                                 fmt::format("TFIELDS = {}", count)};
  cards.insert(cards.end(), columns.begin(), columns.end());
  std::string data;
  for (const std::string& row : rows) data += row;
  data += heap;
  return header(cards) + padded(data, kind == "TABLE" ? ' ' : '\0');
}

inline std::string text_table(std::vector<std::string> columns,
                              const std::vector<std::string>& rows) {
  return table(std::move(columns), rows, "", "TABLE");
}

}  // namespace made
