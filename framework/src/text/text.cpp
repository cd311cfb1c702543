#include "qsohost/io/text.hpp"

#include <algorithm>
#include <cctype>

#include "text/text_layout.hpp"
#include "text/text_rows.hpp"

namespace qsohost::inline io_v1 {

std::string_view name_of(TableFormat format) {
  switch (format) {
    case TableFormat::Csv:
      return "CSV";
    case TableFormat::Tsv:
      return "TSV";
    case TableFormat::Ipac:
      return "IPAC table";
    case TableFormat::VoTable:
      return "VOTable";
  }
  return "?";
}

namespace {

// What follows a '<'; 5 in <5, an upper limit, does not.
bool begins_tag(std::string_view text) {
  if (text.empty()) return false;
  const auto c = static_cast<unsigned char>(text.front());
  return std::isalpha(c) != 0 || c == '/' || c == '!' || c == '?';
}

}  // namespace

std::string excerpt(std::string_view text) {
  constexpr std::size_t kLongest = 200;
  std::string out;
  bool in_tag = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '<' && begins_tag(text.substr(i + 1))) in_tag = true;
    const bool gap = in_tag || static_cast<unsigned char>(c) <= ' ' || c == '\x7f';
    if (c == '>') in_tag = false;
    if (!gap)
      out += c;
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
    if (out.size() >= kLongest) return out + "...";
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

std::string_view without_byte_order_mark(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return text;
}

namespace {

bool contains_word(std::string_view text, std::string_view lower_case_word) {
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return std::search(text.begin(), text.end(), lower_case_word.begin(), lower_case_word.end(),
                     same) != text.end();
}

// Of the header.
char separator_in(std::string_view text) {
  Lines lines(text);
  std::string_view line;
  while (lines.next(line)) {
    if (!trimmed(line).empty() && !line.starts_with('#')) return separator_of(line);
  }
  return ',';
}

TableFormat detect(std::string_view text, TableOrigin origin) {
  const std::string_view body = trimmed(text);
  if (body.empty()) broken(origin, "empty: there must be a header at least");
  if (body.front() == '<') {
    const std::string_view head = body.substr(0, 4096);
    if (contains_word(head, "votable")) return TableFormat::VoTable;
    broken(origin, fmt::format("{} page where a table is expected; it says: {}",
                               contains_word(head, "<html") ? "an HTML" : "an XML", excerpt(body)));
  }
  if (body.front() == '\\' || body.front() == '|') return TableFormat::Ipac;
  return separator_in(text) == '\t' ? TableFormat::Tsv : TableFormat::Csv;
}

std::unique_ptr<RowReader> reader_of(TableFormat format, std::string_view text,
                                     TableOrigin origin) {
  switch (format) {
    case TableFormat::Ipac:
      return read_ipac(text, '\n', origin);
    case TableFormat::VoTable:
      return read_votable(text, origin);
    case TableFormat::Tsv:
    case TableFormat::Csv:
      break;
  }
  const char separator = separator_in(text);
  return read_separated(text, {.separator = separator == ' ' ? ',' : separator}, origin);
}

}  // namespace

struct TableReader::State {
  TableFormat format;
  std::unique_ptr<RowReader> rows;
};

TableReader::TableReader(std::string_view text, TableOrigin origin) {
  text = without_byte_order_mark(text);
  const TableFormat format = detect(text, origin);
  state_ = std::make_unique<State>(State{format, reader_of(format, text, origin)});
}

TableReader::~TableReader() = default;
TableReader::TableReader(TableReader&&) noexcept = default;

TableFormat TableReader::format() const {
  return state_->format;
}

const std::vector<std::string>& TableReader::columns() const {
  return state_->rows->columns();
}

const std::vector<TableField>& TableReader::fields() const {
  return state_->rows->fields();
}

std::optional<std::size_t> TableReader::column(std::string_view name) const {
  const auto& names = columns();
  const auto it = std::find(names.begin(), names.end(), name);
  if (it == names.end()) return std::nullopt;
  return static_cast<std::size_t>(it - names.begin());
}

bool TableReader::next(std::vector<std::string_view>& cells) {
  return state_->rows->next(cells);
}

std::size_t TableReader::line() const {
  return state_->rows->line();
}

}  // namespace qsohost::inline io_v1
