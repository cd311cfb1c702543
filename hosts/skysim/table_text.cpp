#include "table_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <iterator>

namespace qsohost::skysim {

namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string field_xml(const TextColumn& column) {
  const bool is_text = column.ipac_type == "char";
  std::string unit;
  if (!column.unit.empty()) unit = fmt::format(" unit=\"{}\"", column.unit);
  return fmt::format("      <FIELD name=\"{}\" datatype=\"{}\"{}{}/>\n", column.name,
                     column.ipac_type, is_text ? " arraysize=\"*\"" : "", unit);
}

constexpr std::string_view kVoTable =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<VOTABLE version=\"1.3\" xmlns=\"http://www.ivoa.net/xml/VOTable/v1.3\">\n"
    "  <RESOURCE type=\"results\">\n";

}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::optional<TextFormat> text_format(std::string_view name) {
  const std::string format = lower(name);
  if (format == "csv" || format == "text/csv") return TextFormat::Csv;
  if (format == "tsv" || format == "text/tab-separated-values") return TextFormat::Tsv;
  if (format == "ipac_table") return TextFormat::Ipac;
  if (format == "votable" || format == "application/x-votable+xml") return TextFormat::VoTable;
  return std::nullopt;
}

std::string_view content_type(TextFormat format) {
  switch (format) {
    case TextFormat::Csv:
      return "text/csv";
    case TextFormat::Tsv:
      return "text/tab-separated-values";
    case TextFormat::Ipac:
      return "text/plain";
    default:
      return "application/x-votable+xml";
  }
}

TableText::TableText(TextFormat format, std::vector<TextColumn> columns)
    : format_(format), columns_(std::move(columns)) {
  header();
}

void TableText::header() {
  switch (format_) {
    case TextFormat::Csv:
    case TextFormat::Tsv:
      for (std::size_t i = 0; i < columns_.size(); ++i) {
        if (i > 0) out_ += format_ == TextFormat::Csv ? ',' : '\t';
        out_ += columns_[i].name;
      }
      out_ += '\n';
      return;
    case TextFormat::Ipac:
      for (const auto part : {&TextColumn::name, &TextColumn::ipac_type, &TextColumn::unit}) {
        for (const TextColumn& c : columns_) out_ += fmt::format("|{:>{}}", c.*part, kIpacWidth);
        out_ += "|\n";
      }
      for (std::size_t i = 0; i < columns_.size(); ++i)
        out_ += fmt::format("|{:>{}}", "null", kIpacWidth);
      out_ += "|\n";
      return;
    case TextFormat::VoTable:
      out_ += kVoTable;
      out_ += "    <INFO name=\"QUERY_STATUS\" value=\"OK\"/>\n    <TABLE ID=\"Results\">\n";
      for (const TextColumn& c : columns_) out_ += field_xml(c);
      out_ += "      <DATA>\n        <TABLEDATA>\n";
  }
}

void TableText::begin_row() {
  column_ = 0;
  if (format_ == TextFormat::VoTable) out_ += "<TR>";
}

template <class... Args>
void TableText::cell(const char* format, Args... args) {
  const auto to = std::back_inserter(out_);
  const auto value = fmt::runtime(format);
  switch (format_) {
    case TextFormat::Csv:
    case TextFormat::Tsv:
      if (column_ > 0) out_ += format_ == TextFormat::Csv ? ',' : '\t';
      fmt::format_to(to, value, args...);
      break;
    case TextFormat::Ipac: {
      const std::string text = fmt::format(value, args...);
      fmt::format_to(to, " {:>{}}", text, kIpacWidth);
      break;
    }
    case TextFormat::VoTable:
      out_ += "<TD>";
      fmt::format_to(to, value, args...);
      out_ += "</TD>";
  }
  ++column_;
}

void TableText::integer(std::int64_t value) {
  cell("{}", value);
}

void TableText::hexadecimal(std::int64_t value) {
  cell("0x{:x}", value);
}

void TableText::number(double value) {
  if (std::isnan(value)) return cell("NaN");
  cell("{}", value);
}

void TableText::number(float value) {
  if (std::isnan(value)) return cell("NaN");
  cell("{}", value);
}

void TableText::text(std::string_view value) {
  if (format_ == TextFormat::VoTable) return cell("{}", escaped(value));
  cell("{}", value);
}

void TableText::end_row() {
  out_ += format_ == TextFormat::VoTable ? "</TR>\n" : "\n";
}

std::string TableText::finish() {
  if (format_ == TextFormat::VoTable) {
    out_ += "        </TABLEDATA>\n      </DATA>\n    </TABLE>\n  </RESOURCE>\n</VOTABLE>\n";
  }
  return std::move(out_);
}

std::string error_votable(std::string_view message) {
  return fmt::format(
      "{}    <INFO name=\"QUERY_STATUS\" value=\"ERROR\">{}</INFO>\n"
      "  </RESOURCE>\n</VOTABLE>\n",
      kVoTable, escaped(message));
}

}  // namespace qsohost::skysim
