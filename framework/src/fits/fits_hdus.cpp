#include "fits/fits_hdus.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "fits/fits_block.hpp"
#include "qsohost/error.hpp"
#include "qsohost/names.hpp"

namespace qsohost::inline io_v1 {

namespace {

// Tiles of a compressed table or image are rows of a binary table (FITS standard 4.0, section 10).
bool is_compressed_table(const FitsCards& cards) {
  return cards.text("ZTABLE") == "T";
}

bool is_compressed_image(const FitsCards& cards) {
  return cards.text("ZIMAGE") == "T";
}

bool is_table(const FitsCards& cards) {
  const bool is_binary = cards.text("XTENSION") == "BINTABLE" && !is_compressed_image(cards);
  return is_binary || is_text_table(cards);
}

std::uint64_t rows_of(const FitsCards& cards) {
  return cards.count(is_compressed_table(cards) ? "ZNAXIS2" : "NAXIS2");
}

// "1 'ztf' (table, 98 rows)"
std::string described(const FitsHdu& hdu, int number) {
  const FitsCards& cards = hdu.cards;
  std::string out = std::to_string(number);
  const std::string name = cards.text("EXTNAME");
  if (!name.empty()) out += fmt::format(" '{}'", name);
  if (is_table(cards)) {
    const std::string_view kind = is_text_table(cards)         ? "text table"
                                  : is_compressed_table(cards) ? "compressed table"
                                                               : "table";
    return out + fmt::format(" ({}, {} rows)", kind, rows_of(cards));
  }
  const std::string kind = cards.text("XTENSION");
  return out + (kind.empty()                 ? " (primary)"
                : kind == "IMAGE"            ? " (image)"
                : is_compressed_image(cards) ? " (compressed image)"
                                             : fmt::format(" ({})", kind));
}

}  // namespace

bool is_text_table(const FitsCards& cards) {
  return cards.text("XTENSION") == "TABLE";
}

FitsHdu find_table(const OpenedFile& file, std::string_view wanted, int& number) {
  constexpr int kMostListed = 20;
  std::vector<std::string> there;
  number = 0;
  for (auto hdu = std::optional(first_hdu(file)); hdu; hdu = next_hdu(file, *hdu), ++number) {
    const bool is_wanted = wanted.empty()
                               ? is_table(hdu->cards)
                               : wanted == std::to_string(number) ||
                                     lower_case(wanted) == lower_case(hdu->cards.text("EXTNAME"));
    if (is_wanted && !is_table(hdu->cards)) {
      file.fail(fmt::format("HDU {} is no table; choose one that is (option 'hdu')",
                            described(*hdu, number)));
    }
    if (is_wanted && is_compressed_table(hdu->cards)) {
      file.fail(fmt::format("HDU {} is a tile-compressed table; unpack the file with funpack",
                            described(*hdu, number)));
    }
    if (is_wanted) return *std::move(hdu);
    if (number < kMostListed) there.push_back(described(*hdu, number));
  }
  if (number > kMostListed) there.emplace_back("...");
  file.fail(fmt::format("holds no {}; its HDUs are {}{}",
                        wanted.empty() ? "table" : fmt::format("HDU '{}'", wanted),
                        fmt::join(there, ", "),
                        file.size() % kFitsBlock == 0
                            ? ""
                            : "; its size is no multiple of 2880 bytes, so it is cut short"));
}

std::vector<OtherTable> tables_besides(const OpenedFile& file, int number) {
  constexpr std::uint64_t kMostFields = 9999;
  std::vector<OtherTable> out;
  std::set<std::string> names;  // in lower case; one that is taken would find another HDU
  try {
    int n = 0;
    for (auto hdu = std::optional(first_hdu(file)); hdu; hdu = next_hdu(file, *hdu), ++n) {
      const FitsCards& cards = hdu->cards;
      const std::string name = cards.text("EXTNAME");
      const bool names_it = !name.empty() && names.insert(lower_case(name)).second;
      if (n == number || !is_table(cards)) continue;
      OtherTable& table = out.emplace_back();
      table.name = names_it ? name : std::to_string(n);
      table.rows = rows_of(cards);
      const std::uint64_t fields = std::min(cards.count("TFIELDS"), kMostFields);
      for (std::uint64_t k = 1; k <= fields; ++k) {
        table.columns.push_back(cards.text(fmt::format("TTYPE{}", k)));
      }
    }
  } catch (const RunError&) {
    // An HDU behind the table is damaged, and nobody asked for it.
  }
  return out;
}

}  // namespace qsohost::inline io_v1
