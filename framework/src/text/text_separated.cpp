// CSV, TSV, and tables separated by semicolons or blanks.
#include <algorithm>
#include <bit>
#include <deque>

#include "text/text_layout.hpp"
#include "text/text_rows.hpp"

namespace qsohost::inline io_v1 {

namespace {

class SeparatedReader : public LineReader {
 public:
  SeparatedReader(std::string_view text, const SeparatedLayout& layout, TableOrigin origin)
      : LineReader(text, layout.line_end, origin), separator_(layout.separator) {
    lines_.seek(layout.header);
    read_header();
    if (layout.first_row) lines_.seek(*layout.first_row);
  }

  bool next(std::vector<std::string_view>& cells) override;
  void seek(TextPlace place) override {
    LineReader::seek(place);
    unescaped_.clear();
  }

 private:
  void read_header();
  void split(std::string_view row, std::vector<std::string_view>& cells);
  void split_quoted(std::string_view row, std::vector<std::string_view>& cells);
  std::size_t quoted_cell(std::string_view& row, std::size_t begin,
                          std::vector<std::string_view>& cells);
  [[noreturn]] void wrong_count(std::string_view row, std::size_t count) const;

  // Blanks that do not count, before and behind quotes.
  bool is_padding(char c) const {
    return c == ' ' || c == '\r' || (c == '\t' && separator_ == ' ');
  }
  bool is_separator(char c) const { return c == separator_ || (separator_ == ' ' && c == '\t'); }

  // A bit for each of eight bytes that is the separator.
  std::uint64_t separators_in(const char* bytes) const {
    constexpr std::uint64_t kLow = 0x7F7F7F7F7F7F7F7F;
    static_assert(std::endian::native == std::endian::little);
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    word ^= separator_ * 0x0101010101010101ULL;  // zero where the separator is
    return ~(((word & kLow) + kLow) | word | kLow);
  }

  char separator_;
  std::deque<std::string> unescaped_;  // cells that had "" in them; a deque never moves elements
};

void SeparatedReader::read_header() {
  std::string_view line;
  do {
    if (!lines_.next(line)) broken(origin_, "there is no header line, only comments");
  } while (trimmed(line).empty() || line.starts_with('#'));
  line_ = lines_.number();
  std::vector<std::string_view> cells;
  split(line, cells);
  require_line_end(lines_, origin_);
  for (const std::string_view cell : cells) add_field({.name = std::string(trimmed(cell))});
  types_.resize(cells.size());
}

bool SeparatedReader::next(std::vector<std::string_view>& cells) {
  std::string_view row;
  if (!lines_.next(row)) return false;
  line_ = lines_.number();
  split(row, cells);
  require_line_end(lines_, origin_);
  if (cells.empty() && columns_.size() == 1) cells.emplace_back();  // a blank line between rows
  if (cells.size() != columns_.size()) wrong_count(row, cells.size());
  return true;
}

void SeparatedReader::split(std::string_view row, std::vector<std::string_view>& cells) {
  cells.clear();
  const char* begin = row.data();
  const char* const end = begin + row.size();
  if (separator_ == ' ' || std::memchr(begin, '"', row.size()) != nullptr) {
    split_quoted(row, cells);
    return;
  }
  const auto cut = [&](const char* at) {
    cells.emplace_back(begin, static_cast<std::size_t>(at - begin));
    begin = at + 1;
  };
  const char* c = begin;
  for (; end - c >= 8; c += 8) {
    for (std::uint64_t found = separators_in(c); found != 0; found &= found - 1) {
      cut(c + std::countr_zero(found) / 8);
    }
  }
  for (; c != end; ++c) {
    if (*c == separator_) cut(c);
  }
  cells.emplace_back(begin, static_cast<std::size_t>(end - begin));
}

// Only a quote at the beginning of a cell is one; 5" is a size.
void SeparatedReader::split_quoted(std::string_view row, std::vector<std::string_view>& cells) {
  for (std::size_t begin = 0;; ++begin) {
    std::size_t end = begin;
    while (end < row.size() && is_padding(row[end])) ++end;
    if (separator_ == ' ') begin = end;
    if (separator_ == ' ' && end == row.size()) return;
    if (end < row.size() && row[end] == '"') {
      end = quoted_cell(row, end, cells);
    } else {
      while (end < row.size() && !is_separator(row[end])) ++end;
      cells.push_back(row.substr(begin, end - begin));
    }
    if (end == row.size()) return;
    begin = end;
  }
}

// Adds the cell whose opening quote is at `begin`; returns where its separator is, or the row's
// end. A row goes on after a line end in quotes.
std::size_t SeparatedReader::quoted_cell(std::string_view& row, std::size_t begin,
                                         std::vector<std::string_view>& cells) {
  bool has_escapes = false;
  std::size_t close = row.find('"', begin + 1);
  for (;;) {
    if (close == std::string_view::npos) {
      const std::size_t searched = row.size();
      if (!lines_.extend(row)) {
        broken(origin_,
               fmt::format(
                   "line {}: a quote opened in this row is never closed; add one, or take it out",
                   line_));
      }
      close = row.find('"', searched);
    } else if (row.substr(close + 1).starts_with('"')) {
      has_escapes = true;
      close = row.find('"', close + 2);
    } else {
      break;
    }
  }
  std::size_t end = close + 1;
  while (end < row.size() && is_padding(row[end]) && !is_separator(row[end])) ++end;
  if (end < row.size() && !is_separator(row[end])) {
    throw BadObject(
        fmt::format("line {}: text around the quotes of cell {}; write a quote inside "
                    "a quoted cell as two",
                    line_, cells.size() + 1));
  }
  std::string_view cell = row.substr(begin + 1, close - begin - 1);
  if (has_escapes) {
    std::string& text = unescaped_.emplace_back();
    for (std::size_t i = 0; i < cell.size(); ++i) {
      text += cell[i];
      if (cell[i] == '"') ++i;
    }
    cell = text;
  }
  cells.push_back(cell);
  return end;
}

void SeparatedReader::wrong_count(std::string_view row, std::size_t count) const {
  std::string message = fmt::format("line {}: {} cells where the header has {}: {}", line_, count,
                                    columns_.size(), excerpt(row));
  constexpr std::string_view kAdvice = "; each row must have as many cells as the header";
  // A server that fails half-way appends its error page to the rows.
  if (row.starts_with('<')) broken(origin_, message.append(kAdvice));
  for (const char other : kSeparators) {
    if (other == separator_ || cells_of(row, other).size() != columns_.size()) continue;
    message += fmt::format("; the header is separated by {}, and this row seems to be by {}",
                           name_of_separator(separator_), name_of_separator(other));
    break;
  }
  throw BadObject(message.append(kAdvice));
}

}  // namespace

std::unique_ptr<LineReader> read_separated(std::string_view text, const SeparatedLayout& layout,
                                           TableOrigin origin) {
  return std::make_unique<SeparatedReader>(text, layout, origin);
}

}  // namespace qsohost::inline io_v1
