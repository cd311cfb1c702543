// Reads the headers of a FITS file. CFITSIO 4.2 overruns its buffers on damaged headers, so it does
// not get files from elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "files/opened_file.hpp"
#include "qsohost/error.hpp"

namespace qsohost::inline io_v1 {

// The cards of one header. Of a repeated keyword, the first counts; HISTORY holds all its cards as
// lines of one text.
class FitsCards {
 public:
  // The header that begins at `offset`; end() is where it ends.
  FitsCards(const OpenedFile& file, std::uint64_t offset);

  std::uint64_t end() const { return end_; }
  bool has(const std::string& name) const { return cards_.contains(name); }
  std::string text(const std::string& name) const;  // without quotes; "" if it is missing
  std::string comment(const std::string& name) const;
  std::optional<double> number(const std::string& name) const;
  std::optional<std::int64_t> integer(const std::string& name) const;
  // Not negative; throws if the keyword is missing and there is no `otherwise`.
  std::uint64_t count(const std::string& name, std::optional<std::uint64_t> otherwise = {}) const;

 private:
  struct Card {
    std::string value;
    std::string comment;
  };
  bool take_block(std::string_view block);
  void take(std::string_view card);
  void take_history(std::string_view text);
  template <class T>
  std::optional<T> parse(const std::string& name) const;

  const OpenedFile* file_;
  std::unordered_map<std::string, Card> cards_;
  std::string continued_;  // keyword whose text continues in the next card
  std::uint64_t end_ = 0;
};

// One header with its data; positions are bytes in the file.
struct FitsHdu {
  FitsCards cards;
  std::uint64_t header = 0;
  std::uint64_t data = 0;
  std::uint64_t end = 0;  // of the data and its padding
};

// Looks at the first bytes. Throws RunError if they are not those of a FITS file.
void require_fits(const OpenedFile& file);
// The first HDU, and the one after another if there is one.
FitsHdu first_hdu(const OpenedFile& file);
std::optional<FitsHdu> next_hdu(const OpenedFile& file, const FitsHdu& hdu);

}  // namespace qsohost::inline io_v1
