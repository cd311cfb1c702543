// Internals of TableReader: one reader per format.
#pragma once

#include <fmt/format.h>

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "qsohost/error.hpp"
#include "qsohost/io/text.hpp"
#include "qsohost/names.hpp"

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

std::unique_ptr<RowReader> read_separated(std::string_view text, char separator,
                                          TableOrigin origin);
std::unique_ptr<RowReader> read_ipac(std::string_view text, TableOrigin origin);
std::unique_ptr<RowReader> read_votable(std::string_view text, TableOrigin origin);

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

// The lines of a text, without line ends, and whether the last one had a line end.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}

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

 private:
  std::string_view take(std::size_t begin) {
    const char* from = text_.data() + position_;
    const auto* end = static_cast<const char*>(std::memchr(from, '\n', text_.size() - position_));
    ended_ = end != nullptr;
    std::size_t stop = ended_ ? static_cast<std::size_t>(end - text_.data()) : text_.size();
    position_ = ended_ ? stop + 1 : stop;
    ++number_;
    if (ended_ && stop > begin && text_[stop - 1] == '\r') --stop;
    return text_.substr(begin, stop - begin);
  }

  std::string_view text_;
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

}  // namespace qsohost::inline io_v1
