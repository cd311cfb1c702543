// CSV and TSV.
#include <algorithm>
#include <deque>

#include "text/text_rows.hpp"

namespace qsohost::inline io_v1 {

namespace {

class SeparatedReader : public RowReader {
 public:
  SeparatedReader(std::string_view text, char separator, TableOrigin origin)
      : lines_(text), separator_(separator), origin_(origin) {
    read_header();
  }

  bool next(std::vector<std::string_view>& cells) override;
  std::size_t line() const override { return line_; }

 private:
  void read_header();
  void split(std::string_view row, std::vector<std::string_view>& cells);
  void split_quoted(std::string_view row, std::vector<std::string_view>& cells);
  std::size_t quoted_cell(std::string_view row, std::size_t begin,
                          std::vector<std::string_view>& cells);
  [[noreturn]] void wrong_count(std::string_view row, std::size_t count) const;

  Lines lines_;
  char separator_;
  TableOrigin origin_;
  std::size_t line_ = 0;
  std::deque<std::string> unescaped_;  // cells that had "" in them; a deque never moves elements
};

void SeparatedReader::read_header() {
  std::string_view line;
  do {
    if (!lines_.next(line)) broken(origin_, "there is no header line, only comments");
  } while (trimmed(line).empty() || line.starts_with('#'));
  require_line_end(lines_, origin_);
  line_ = lines_.number();
  std::vector<std::string_view> cells;
  split(line, cells);
  for (const std::string_view cell : cells) add_field({.name = std::string(trimmed(cell))});
}

bool SeparatedReader::next(std::vector<std::string_view>& cells) {
  std::string_view row;
  if (!lines_.next(row)) return false;
  if (trimmed(row).empty() && trimmed(lines_.rest()).empty()) return false;
  line_ = lines_.number();
  require_line_end(lines_, origin_);
  split(row, cells);
  if (cells.size() != columns_.size()) wrong_count(row, cells.size());
  return true;
}

void SeparatedReader::split(std::string_view row, std::vector<std::string_view>& cells) {
  cells.clear();
  const char* begin = row.data();
  const char* const end = begin + row.size();
  if (std::memchr(begin, '"', row.size()) != nullptr) {
    split_quoted(row, cells);
    return;
  }
  for (const char* c = begin; c != end; ++c) {
    if (*c != separator_) continue;
    cells.emplace_back(begin, static_cast<std::size_t>(c - begin));
    begin = c + 1;
  }
  cells.emplace_back(begin, static_cast<std::size_t>(end - begin));
}

void SeparatedReader::split_quoted(std::string_view row, std::vector<std::string_view>& cells) {
  // A row with an odd number of quotes goes on after the line end.
  while (std::count(row.begin(), row.end(), '"') % 2 != 0) {
    if (lines_.extend(row)) continue;
    broken(origin_, fmt::format("line {}: a quote opened in this row is never closed", line_));
  }
  require_line_end(lines_, origin_);
  std::size_t begin = 0;
  for (;;) {
    std::size_t end = std::min(row.find(separator_, begin), row.size());
    if (begin < row.size() && row[begin] == '"')
      end = quoted_cell(row, begin, cells);
    else
      cells.push_back(row.substr(begin, end - begin));
    if (end >= row.size()) return;
    begin = end + 1;
  }
}

// Adds the cell whose opening quote is at `begin`; returns the position after its closing quote.
std::size_t SeparatedReader::quoted_cell(std::string_view row, std::size_t begin,
                                         std::vector<std::string_view>& cells) {
  std::size_t close = row.find('"', begin + 1);
  bool escapes = false;
  while (close != std::string_view::npos && row.substr(close + 1).starts_with('"')) {
    escapes = true;
    close = row.find('"', close + 2);
  }
  const bool closed = close != std::string_view::npos;
  if (!closed || (close + 1 < row.size() && row[close + 1] != separator_)) {
    throw BadObject(
        fmt::format("line {}: text around the quotes of cell {}; write a quote inside "
                    "a quoted cell as two",
                    line_, cells.size() + 1));
  }
  std::string_view cell = row.substr(begin + 1, close - begin - 1);
  if (escapes) {
    std::string& text = unescaped_.emplace_back();
    for (std::size_t i = 0; i < cell.size(); ++i) {
      text += cell[i];
      if (cell[i] == '"') ++i;
    }
    cell = text;
  }
  cells.push_back(cell);
  return close + 1;
}

void SeparatedReader::wrong_count(std::string_view row, std::size_t count) const {
  const std::string message = fmt::format("line {}: {} cells where the header has {}: {}", line_,
                                          count, columns_.size(), excerpt(row));
  // A server that fails half-way appends its error page to the rows.
  if (row.starts_with('<')) broken(origin_, message);
  throw BadObject(message);
}

}  // namespace

std::unique_ptr<RowReader> read_separated(std::string_view text, char separator,
                                          TableOrigin origin) {
  return std::make_unique<SeparatedReader>(text, separator, origin);
}

}  // namespace qsohost::inline io_v1
