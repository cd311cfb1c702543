// A FITS file to be read: its bytes and its headers. CFITSIO 4.2 overruns its buffers on damaged
// headers, so files that come from elsewhere are not given to it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "qsohost/error.hpp"

namespace qsohost::inline io_v1 {

class FitsInput {
 public:
  // Plain or gzipped; this is unpacked into a temporary file that has no name.
  explicit FitsInput(const std::filesystem::path& file);
  ~FitsInput();
  FitsInput(FitsInput&& other) noexcept;
  FitsInput& operator=(FitsInput&&) = delete;

  const std::string& name() const { return name_; }
  std::uint64_t size() const { return size_; }
  void read(std::uint64_t offset, std::span<std::byte> to) const;
  [[noreturn]] void fail(std::string_view what) const;

 private:
  void unpack();
  int fd_ = -1;
  std::string name_;
  std::uint64_t size_ = 0;
};

// The cards of one header. Of a keyword that is there twice, the first counts.
class FitsCards {
 public:
  // The header that begins at `offset`; end() is where it ends.
  FitsCards(const FitsInput& file, std::uint64_t offset);

  std::uint64_t end() const { return end_; }
  bool has(const std::string& name) const { return cards_.contains(name); }
  std::string text(const std::string& name) const;  // without quotes; "" if it is not there
  std::string comment(const std::string& name) const;
  std::optional<double> number(const std::string& name) const;
  std::optional<std::int64_t> integer(const std::string& name) const;
  // Not negative; throws if it is not there and there is no `otherwise`.
  std::uint64_t count(const std::string& name, std::optional<std::uint64_t> otherwise = {}) const;

 private:
  struct Card {
    std::string value;
    std::string comment;
  };
  bool take_block(std::string_view block);
  void take(std::string_view card);
  template <class T>
  std::optional<T> parse(const std::string& name) const;

  const FitsInput* file_;
  std::unordered_map<std::string, Card> cards_;
  std::string continued_;  // keyword whose text goes on in the next card
  std::uint64_t end_ = 0;
};

// One header with its data; in bytes of the file.
struct FitsHdu {
  FitsCards cards;
  std::uint64_t header = 0;
  std::uint64_t data = 0;
  std::uint64_t end = 0;  // of the data and what fills its last block
};

// The first, and the one behind another if the file goes on there.
FitsHdu first_hdu(const FitsInput& file);
std::optional<FitsHdu> next_hdu(const FitsInput& file, const FitsHdu& hdu);

}  // namespace qsohost::inline io_v1
