#include "table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace qsohost::cli {
namespace {

// Cells in a terminal: continuation bytes of UTF-8 have no width.
std::size_t shown_width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

void append_line(std::string& out, const std::vector<std::string>& cells,
                 const std::vector<Table::Heading>& headings,
                 const std::vector<std::size_t>& widths, std::size_t indent) {
  std::string line(indent, ' ');
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string padding(widths[i] - shown_width(cells[i]), ' ');
    if (i > 0) line += "  ";
    line += headings[i].align == Align::Right ? padding + cells[i] : cells[i] + padding;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + '\n';
}

}  // namespace

Table::Table(std::vector<Heading> headings) : headings_(std::move(headings)) {}

void Table::add(std::vector<std::string> cells) {
  cells.resize(headings_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::text(std::size_t indent) const {
  std::vector<std::string> top;
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < headings_.size(); ++i) {
    top.push_back(headings_[i].text);
    widths.push_back(shown_width(headings_[i].text));
    for (const auto& row : rows_) widths[i] = std::max(widths[i], shown_width(row[i]));
  }
  std::string out;
  append_line(out, top, headings_, widths, indent);
  for (const auto& row : rows_) append_line(out, row, headings_, widths, indent);
  return out;
}

std::string grouped(std::int64_t n) {
  std::string digits = fmt::format("{}", n);
  const std::size_t first = n < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::string count_text(std::uint64_t n) {
  return grouped(static_cast<std::int64_t>(n));
}

std::string duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "?";
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  if (seconds < 59.5) return fmt::format("{:.0f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  const auto hours = whole / 3600;
  const auto minutes = whole / 60 % 60;
  if (hours == 0) return fmt::format("{}:{:02}", minutes, whole % 60);
  return fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60);
}

std::string rate_text(double per_second) {
  if (!std::isfinite(per_second) || per_second <= 0) return "-";
  if (per_second < 99.95) return fmt::format("{:.3g}", per_second);
  return grouped(std::llround(per_second));
}

}  // namespace qsohost::cli
