#include "text/text_layout.hpp"

#include <algorithm>
#include <cctype>
#include <deque>
#include <optional>

#include "text/cell_kind.hpp"

namespace qsohost::inline io_v1 {

namespace {

constexpr std::size_t kSample = 64;  // lines that are looked at, above and below the header

bool is_separator(char c, char separator) {
  return c == separator || (separator == ' ' && c == '\t');
}

// Where the cell that begins at `begin` ends.
std::size_t end_of_cell(std::string_view line, std::size_t begin, char separator) {
  std::size_t i = begin;
  while (i < line.size() && line[i] == ' ') ++i;
  const bool is_quoted = i < line.size() && line[i] == '"';
  bool in_quotes = false;
  for (; i < line.size(); ++i) {
    if (is_quoted && line[i] == '"') in_quotes = !in_quotes;
    if (!in_quotes && is_separator(line[i], separator)) break;
  }
  return i;
}

std::string_view without_quotes(std::string_view cell) {
  const bool is_quoted = cell.size() > 1 && cell.front() == '"' && cell.back() == '"';
  return is_quoted ? trimmed(cell.substr(1, cell.size() - 2)) : cell;
}

struct Line {
  TextPlace place;
  std::string_view text;
};

struct Beginning {
  std::deque<Line> comments;           // the last ones above `first`
  Line first;                          // neither blank nor a comment
  std::vector<std::string_view> rows;  // the first ones below it
};

Beginning beginning_of(std::string_view text, char line_end) {
  Beginning out;
  Lines lines(text, line_end);
  TextPlace place;
  for (std::string_view line; lines.next(line) && out.rows.size() < kSample;
       place = lines.place()) {
    if (trimmed(line).empty()) continue;
    if (!out.first.text.empty()) {
      out.rows.push_back(line);
    } else if (line.starts_with('#')) {
      out.comments.push_back({place, line});
      if (out.comments.size() > kSample) out.comments.pop_front();
    } else {
      out.first = {place, line};
    }
  }
  if (out.first.text.empty()) throw BadObject("there is no header line, only comments");
  return out;
}

bool is_name(std::string_view cell) {
  return std::ranges::any_of(cell, [](char c) {
    return std::isalpha(static_cast<unsigned char>(c)) != 0 ||
           static_cast<unsigned char>(c) >= 0x80;
  });
}

bool is_number(std::string_view cell) {
  const CellKind kind = kind_of(cell);
  return kind != CellKind::Text && kind != CellKind::Missing;
}

// A line of names behind a '#': the last comment with as many cells as the row below.
std::optional<SeparatedLayout> commented_header(const Beginning& table, char line_end) {
  for (auto line = table.comments.rbegin(); line != table.comments.rend(); ++line) {
    const std::size_t begin = line->text.find_first_not_of("# \t");
    if (begin == std::string_view::npos) continue;
    const std::string_view names = line->text.substr(begin);
    for (const char separator : {separator_of(names), ' '}) {
      const auto cells = cells_of(names, separator);
      const auto values = cells_of(table.first.text, separator);
      if (cells.size() == values.size() && std::ranges::all_of(cells, is_name) &&
          std::ranges::any_of(values, is_number)) {
        return SeparatedLayout{separator,
                               line_end,
                               {line->place.offset + begin, line->place.lines},
                               table.first.place};
      }
    }
  }
  return std::nullopt;
}

// Of a header that is a single column, as far as its own line tells.
void refuse_other_separator_in_rows(const Beginning& table) {
  if (table.rows.empty()) return;
  for (const char other : {',', '\t', ';'}) {
    const std::size_t count = cells_of(table.rows[0], other).size();
    const auto has_as_many = [&](auto row) { return cells_of(row, other).size() == count; };
    if (count < 2 || !std::ranges::all_of(table.rows, has_as_many)) continue;
    throw BadObject(fmt::format(
        "line {}: the header is one column ('{}'), and the rows have {} cells separated "
        "by {}; separate the names in the same way",
        table.first.place.lines + 1, excerpt(table.first.text), count, name_of_separator(other)));
  }
}

// The separator of a table whose first line that is no comment is its header.
char separator_of_table(const Beginning& table) {
  const char separator = separator_of(table.first.text);
  if (separator != ' ') return separator;
  const std::size_t words = cells_of(table.first.text, ' ').size();
  const auto agreeing = static_cast<std::size_t>(std::ranges::count_if(
      table.rows, [&](std::string_view row) { return cells_of(row, ' ').size() == words; }));
  // One column may have a name, and texts, of several words.
  if (words > 1 && 2 * agreeing >= table.rows.size()) return ' ';
  refuse_other_separator_in_rows(table);
  return ',';
}

SeparatedLayout separated_layout(std::string_view text, char line_end) {
  const Beginning table = beginning_of(text, line_end);
  if (const auto layout = commented_header(table, line_end)) return *layout;
  const char separator = separator_of_table(table);
  if (std::ranges::all_of(cells_of(table.first.text, separator), is_number)) {
    throw BadObject(
        fmt::format("line {}: the first line of the table holds numbers, not names of columns: {}; "
                    "write a line of names above it",
                    table.first.place.lines + 1, excerpt(table.first.text)));
  }
  return {separator, line_end, table.first.place, {}};
}

bool is_ecsv(std::string_view text) {
  return text.starts_with('#') && trimmed(text.substr(1, 64)).starts_with("%ECSV");
}

}  // namespace

std::string_view name_of_separator(char separator) {
  switch (separator) {
    case '\t':
      return "tabs";
    case ';':
      return "semicolons";
    case ' ':
      return "blanks";
    default:
      return "commas";
  }
}

std::vector<std::string_view> cells_of(std::string_view line, char separator) {
  std::vector<std::string_view> out;
  if (separator == ' ') line = trimmed(line);
  for (std::size_t begin = 0; begin <= line.size();) {
    const std::size_t end = end_of_cell(line, begin, separator);
    const std::string_view cell = trimmed(line.substr(begin, end - begin));
    if (separator != ' ' || !cell.empty()) out.push_back(without_quotes(cell));
    begin = end + 1;
  }
  return out;
}

char separator_of(std::string_view line) {
  std::size_t tabs = 0;
  std::size_t commas = 0;
  std::size_t semicolons = 0;
  bool in_quotes = false;
  for (const char c : line) {
    if (c == '"') in_quotes = !in_quotes;
    if (in_quotes) continue;
    if (c == '\t') ++tabs;
    if (c == ',') ++commas;
    if (c == ';') ++semicolons;
  }
  if (tabs + commas + semicolons == 0) return ' ';
  if (tabs > commas && tabs >= semicolons) return '\t';
  return semicolons > commas ? ';' : ',';
}

TextLayout find_layout(std::string_view text) {
  const std::string_view body = trimmed(text);
  if (body.empty()) throw BadObject("is empty: there must be a header at least");
  const bool is_old_mac =
      text.find('\n') == std::string_view::npos && text.find('\r') != std::string_view::npos;
  const char line_end = is_old_mac ? '\r' : '\n';
  if (is_ecsv(text)) return {TextForm::Ecsv, {.line_end = line_end}};
  if (body.front() == '\\' || body.front() == '|') return {TextForm::Ipac, {.line_end = line_end}};
  return {TextForm::Separated, separated_layout(text, line_end)};
}

}  // namespace qsohost::inline io_v1
