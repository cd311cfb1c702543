// Internals of the text forms: one reader of rows per form.
#pragma once

#include <fmt/format.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "qsohost/error.hpp"
#include "qsohost/io/text.hpp"
#include "qsohost/names.hpp"
#include "text/cell_type.hpp"

namespace qsohost::inline io_v1 {

class RowReader {
 public:
  virtual ~RowReader() = default;
  virtual bool next(std::vector<std::string_view>& cells) = 0;
  virtual std::size_t line() const = 0;
  const std::vector<std::string>& columns() const { return columns_; }
  const std::vector<TableField>& fields() const { return fields_; }

 protected:
  void add_field(TableField field) {
    columns_.push_back(field.name);
    fields_.push_back(std::move(field));
  }
  std::vector<std::string> columns_;
  std::vector<TableField> fields_;
};

// Not a trustworthy table: a request to an archive can be retried, a user's file cannot.
[[noreturn]] inline void broken(TableOrigin origin, const std::string& message) {
  if (origin == TableOrigin::Archive) throw TryAgain(message);
  throw BadObject(message);
}

inline bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// The first words of a text on one line, for messages.
std::string excerpt(std::string_view text);
// All of a text on one line, with single blanks between its words.
std::string one_line(std::string_view text);

std::string_view without_byte_order_mark(std::string_view text);

// Where a line begins.
struct TextPlace {
  std::size_t offset = 0;  // bytes from the beginning of the text
  std::size_t lines = 0;   // lines before it
};

// The lines of a text, without line ends, and whether the last one had a line end.
class Lines {
 public:
  // `end`: "\n", with or without "\r" before it, or "\r" alone.
  explicit Lines(std::string_view text, char end = '\n') : text_(text), end_(end) {}

  bool next(std::string_view& line) {
    if (position_ >= text_.size()) return false;
    const std::size_t begin = position_;
    line = take(begin);
    return true;
  }
  // Extends a line from next() by the following line.
  bool extend(std::string_view& line) {
    if (position_ >= text_.size()) return false;
    line = take(static_cast<std::size_t>(line.data() - text_.data()));
    return true;
  }
  std::size_t number() const { return number_; }  // of the last line, from 1
  bool ended() const { return ended_; }           // the last line had a line end
  std::string_view rest() const { return text_.substr(position_); }

  TextPlace place() const { return {position_, number_}; }  // of the next line
  void seek(TextPlace place) {
    position_ = place.offset;
    number_ = place.lines;
  }

 private:
  std::string_view take(std::size_t begin) {
    const char* from = text_.data() + position_;
    const auto* end = static_cast<const char*>(std::memchr(from, end_, text_.size() - position_));
    ended_ = end != nullptr;
    std::size_t stop = ended_ ? static_cast<std::size_t>(end - text_.data()) : text_.size();
    position_ = ended_ ? stop + 1 : stop;
    ++number_;
    if (ended_ && stop > begin && text_[stop - 1] == '\r') --stop;
    return text_.substr(begin, stop - begin);
  }

  std::string_view text_;
  char end_;
  std::size_t position_ = 0;
  std::size_t number_ = 0;
  bool ended_ = true;
};

// Throws for an archive's response whose last line has no line end.
inline void require_line_end(const Lines& lines, TableOrigin origin) {
  if (lines.ended() || origin == TableOrigin::User) return;
  throw TryAgain(
      fmt::format("line {}: the answer ends inside this line (cut transfer)", lines.number()));
}

// Rows that are lines, and can be read from any of them.
class LineReader : public RowReader {
 public:
  LineReader(std::string_view text, char line_end, TableOrigin origin)
      : lines_(without_blank_end(text, line_end), line_end), origin_(origin) {}

  std::size_t line() const final { return line_; }
  TextPlace place() const { return lines_.place(); }  // of the next row
  // Goes to a place(). Cells of rows before are no longer valid.
  virtual void seek(TextPlace place) { lines_.seek(place); }

  // One a column.
  const std::vector<CellType>& types() const { return types_; }
  // Keywords of the header with their values.
  const std::vector<std::pair<std::string, std::string>>& keywords() const { return keywords_; }

  // Of a header that stands apart from the line of names. Throws BadObject if the names differ.
  void declare(std::vector<TableField> fields, std::vector<CellType> types);

 private:
  // Blank lines at the end are no rows.
  static std::string_view without_blank_end(std::string_view text, char line_end) {
    const std::size_t end = text.find(line_end, text.find_last_not_of(" \t\r\n") + 1);
    return text.substr(0, end == std::string_view::npos ? end : end + 1);
  }

 protected:
  Lines lines_;
  TableOrigin origin_;
  std::size_t line_ = 0;
  std::vector<CellType> types_;
  std::vector<std::pair<std::string, std::string>> keywords_;
};

// How a table with separated cells is written.
struct SeparatedLayout {
  char separator = ',';  // ' ': one blank or more
  char line_end = '\n';
  // Of the line of names, or of comments and blank lines before it.
  TextPlace header{};
  // If the names are behind a '#', `header` is that of the first name, and this is where rows
  // begin.
  std::optional<TextPlace> first_row{};
};

std::unique_ptr<LineReader> read_separated(std::string_view text, const SeparatedLayout& layout,
                                           TableOrigin origin);
std::unique_ptr<LineReader> read_ipac(std::string_view text, char line_end, TableOrigin origin);
std::unique_ptr<RowReader> read_votable(std::string_view text, TableOrigin origin);

}  // namespace qsohost::inline io_v1
