// Plain text tables for the terminal: columns as wide as their longest cell, separated by two
// blanks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace qsohost::cli {

enum class Align : std::uint8_t { Left, Right };

class Table {
 public:
  struct Heading {
    std::string text;
    Align align = Align::Left;
  };

  explicit Table(std::vector<Heading> headings);
  // As many cells as headings; missing cells are empty.
  void add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  // Lines have no trailing blanks; each starts with `indent` blanks.
  std::string text(std::size_t indent = 0) const;

 private:
  std::vector<Heading> headings_;
  std::vector<std::vector<std::string>> rows_;
};

// 1234567 -> "1,234,567"
std::string grouped(std::int64_t n);
std::string count_text(std::uint64_t n);  // grouped
// "0.3 s", "42 s", "3:07", "1:02:45"
std::string duration(double seconds);
// Objects per second with three digits: "0.123", "4.56", "78.9", "1,230"
std::string rate_text(double per_second);

}  // namespace qsohost::cli
