#include "tap/answer.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

#include "qsohost/error.hpp"
#include "table_text.hpp"
#include "ztf_query.hpp"

namespace qsohost::skysim {

namespace {

constexpr int kGzip = 15 + 16;  // the largest window, with a header of gzip

std::string false_word(const std::string& true_word) {
  if (true_word.size() == 1) return true_word == "T" ? "F" : "f";
  return true_word.front() == 'T' ? "False" : "false";
}

std::string_view ipac_type(const TapColumn& column) {
  const std::string& type = column.datatype;
  if (column.is_array || type == "boolean") return "char";
  return type == "short" ? "int" : std::string_view(type);
}

// In CSV an array is a list in brackets.
std::string listed(const std::string& values) {
  std::string out = "[";
  for (const char c : values) out += c == ' ' ? std::string(", ") : std::string(1, c);
  return out + "]";
}

std::string in_quotes(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

std::string separated_cell(const TapColumn& column, const TapCell& cell, TapFormat format,
                           const TapStyle& style) {
  if (std::holds_alternative<std::monostate>(cell)) return style.null_word;
  std::string text = cell_text(column, cell, style);
  if (column.is_array) text = listed(text);
  const bool is_text = column.datatype == "char" || column.datatype == "boolean";
  const bool is_quoted =
      format == TapFormat::Csv && ((style.quotes_texts && is_text && !column.is_array) ||
                                   text.find_first_of(",\"\n") != std::string::npos);
  return is_quoted ? in_quotes(text) : text;
}

std::string write_separated(const TapRows& rows, TapFormat format, const TapStyle& style) {
  const char separator = format == TapFormat::Csv ? ',' : '\t';
  std::string out;
  for (const TapColumn& column : rows.columns) {
    if (&column != rows.columns.data()) out += separator;
    out += column.name;
  }
  out += '\n';
  for (const auto& row : rows.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) out += separator;
      out += separated_cell(rows.columns[i], row[i], format, style);
    }
    out += '\n';
  }
  return out;
}

std::string write_ipac(const TapRows& rows, const TapStyle& style) {
  std::string out;
  const auto line = [&](char bar, const auto& text) {
    for (std::size_t i = 0; i < rows.columns.size(); ++i) {
      out += fmt::format("{}{:>{}}", bar, text(i), kIpacWidth);
    }
    out += bar == '|' ? "|\n" : "\n";
  };
  line('|', [&](std::size_t i) { return rows.columns[i].name; });
  line('|', [&](std::size_t i) { return ipac_type(rows.columns[i]); });
  line('|', [&](std::size_t i) { return rows.columns[i].unit; });
  line('|', [&](std::size_t) { return style.null_word; });
  for (const auto& row : rows.rows) {
    line(' ', [&](std::size_t i) {
      return separated_cell(rows.columns[i], row[i], TapFormat::Ipac, style);
    });
  }
  return out;
}

}  // namespace

TapFormat tap_format(std::string_view name, const TapStyle& style) {
  const std::string format = lower(name);
  if (format == "csv" || format == "text/csv") return TapFormat::Csv;
  if (format == "tsv" || format == "text/tab-separated-values") return TapFormat::Tsv;
  if (format == "ipac_table" && style.has_ipac) return TapFormat::Ipac;
  if (format.empty() || format == "votable" || format == "application/x-votable+xml" ||
      format == "text/xml") {
    return style.votable_is_binary ? TapFormat::VoTableBinary : TapFormat::VoTable;
  }
  if (format == "votable_plain" || format == "votable/td" ||
      format == "application/x-votable+xml;serialization=tabledata") {
    return TapFormat::VoTable;
  }
  if (format == "votable/b2" || format == "application/x-votable+xml;serialization=binary2") {
    return TapFormat::VoTableBinary;
  }
  throw BadRequest(fmt::format("no formatter has been found for the given MIME type \"{}\"", name));
}

std::string_view content_type(TapFormat format) {
  switch (format) {
    case TapFormat::Csv:
      return "text/csv";
    case TapFormat::Tsv:
      return "text/tab-separated-values";
    case TapFormat::Ipac:
      return "text/plain";
    default:
      return "application/x-votable+xml";
  }
}

std::string cell_text(const TapColumn& column, const TapCell& cell, const TapStyle& style) {
  if (std::holds_alternative<std::monostate>(cell)) return "";
  if (const auto* text = std::get_if<std::string>(&cell)) {
    if (!column.is_array || column.datatype != "boolean") return *text;
    std::string words;
    for (const char c : *text) {
      words += c == '1'   ? style.true_word
               : c == '0' ? false_word(style.true_word)
                          : std::string(1, c);
    }
    return words;
  }
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) {
    if (column.datatype == "boolean")
      return *integer != 0 ? style.true_word : false_word(style.true_word);
    return fmt::format("{}", *integer);
  }
  const double number = std::get<double>(cell);
  return column.datatype == "float" ? fmt::format("{}", static_cast<float>(number))
                                    : fmt::format("{}", number);
}

std::string write_rows(const TapRows& rows, TapFormat format, const TapStyle& style,
                       const TapInfo& info) {
  switch (format) {
    case TapFormat::Csv:
    case TapFormat::Tsv:
      return write_separated(rows, format, style);
    case TapFormat::Ipac:
      return write_ipac(rows, style);
    default:
      return write_votable(rows, format == TapFormat::VoTableBinary, style, info);
  }
}

std::string gzipped(std::string_view text) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw RunError("zlib cannot begin");
  }
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string gunzipped(std::string_view bytes, std::size_t most) {
  z_stream stream{};
  if (inflateInit2(&stream, kGzip) != Z_OK) throw RunError("zlib cannot begin");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  int state = Z_OK;
  while (state == Z_OK && out.size() <= most) {
    constexpr std::size_t step = 1 << 20;
    out.resize(out.size() + step);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + out.size() - step);
    stream.avail_out = static_cast<uInt>(step);
    state = inflate(&stream, Z_NO_FLUSH);
  }
  out.resize(stream.total_out);
  inflateEnd(&stream);
  if (state != Z_STREAM_END) throw BadRequest("the compressed file is broken or too long");
  return out;
}

}  // namespace qsohost::skysim
