// VOTable 1.4, with its data in TABLEDATA or BINARY2.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <bit>
#include <chrono>
#include <sstream>

#include "qsohost/io/text.hpp"
#include "tap/answer.hpp"

namespace qsohost::skysim {

namespace {

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::size_t kLine = 64;
  std::string out;
  const auto byte = [&](std::size_t i) {
    return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u;
  };
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const unsigned three = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    for (std::size_t k = 0; k < 4; ++k) {
      out += i + k > bytes.size() ? '=' : digits[three >> (18 - 6 * k) & 63];
    }
    if (i / 3 % (kLine / 4) == kLine / 4 - 1) out += '\n';
  }
  return out;
}

template <class T>
void put_big_endian(T value, std::string& out) {
  for (int shift = 8 * (static_cast<int>(sizeof value) - 1); shift >= 0; shift -= 8) {
    out += static_cast<char>(value >> shift & 0xff);
  }
}

void put_number(const std::string& type, double number, std::string& out) {
  if (type == "float")
    return put_big_endian(std::bit_cast<std::uint32_t>(static_cast<float>(number)), out);
  put_big_endian(std::bit_cast<std::uint64_t>(number), out);
}

void put_integer(const std::string& type, std::int64_t value, std::string& out) {
  if (type == "boolean") {
    out += value != 0 ? 'T' : 'F';
  } else if (type == "short") {
    put_big_endian(static_cast<std::uint16_t>(value), out);
  } else if (type == "int") {
    put_big_endian(static_cast<std::uint32_t>(value), out);
  } else {
    put_big_endian(static_cast<std::uint64_t>(value), out);
  }
}

bool is_float(const std::string& type) {
  return type == "float" || type == "double";
}

void put_array(const TapColumn& column, const std::string& text, std::string& out) {
  std::istringstream in(text);
  std::string values;
  std::uint32_t count = 0;
  for (std::string word; in >> word; ++count) {
    if (is_float(column.datatype)) {
      put_number(column.datatype, *parse_double(word), values);
    } else {
      put_integer(column.datatype, *parse_int(word), values);
    }
  }
  put_big_endian(count, out);
  out += values;
}

void put_cell(const TapColumn& column, const TapCell& cell, std::string& out) {
  if (column.is_array || column.datatype == "char") {
    const auto* text = std::get_if<std::string>(&cell);
    const std::string value = text != nullptr ? *text : cell_text(column, cell, {});
    if (column.is_array) return put_array(column, value, out);
    put_big_endian(static_cast<std::uint32_t>(value.size()), out);
    out += value;
  } else if (std::holds_alternative<std::monostate>(cell)) {
    if (is_float(column.datatype)) return put_number(column.datatype, std::nan(""), out);
    if (column.datatype == "boolean") {
      out += '?';
    } else {
      put_integer(column.datatype, 0, out);
    }
  } else if (const auto* integer = std::get_if<std::int64_t>(&cell)) {
    if (is_float(column.datatype))
      return put_number(column.datatype, static_cast<double>(*integer), out);
    put_integer(column.datatype, *integer, out);
  } else {
    put_number(column.datatype, std::get<double>(cell), out);
  }
}

std::string binary_data(const TapRows& rows) {
  std::string bytes;
  for (const auto& row : rows.rows) {
    std::string mask((row.size() + 7) / 8, '\0');
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (!std::holds_alternative<std::monostate>(row[i])) continue;
      mask[i / 8] = static_cast<char>(mask[i / 8] | 0x80 >> i % 8);
    }
    bytes += mask;
    for (std::size_t i = 0; i < row.size(); ++i) put_cell(rows.columns[i], row[i], bytes);
  }
  return fmt::format("<BINARY2>\n<STREAM encoding='base64'>\n{}\n</STREAM>\n</BINARY2>\n",
                     base64(bytes));
}

std::string table_data(const TapRows& rows, const TapStyle& style) {
  std::string out = "<TABLEDATA>\n";
  for (const auto& row : rows.rows) {
    out += "<TR>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += "<TD>" + escaped_xml(cell_text(rows.columns[i], row[i], style)) + "</TD>";
    }
    out += "</TR>\n";
  }
  return out + "</TABLEDATA>\n";
}

std::string field(const TapColumn& column) {
  const bool has_size = column.is_array || column.datatype == "char";
  std::string attributes =
      fmt::format("name=\"{}\" datatype=\"{}\"", escaped_xml(column.name), column.datatype);
  if (has_size) attributes += " arraysize=\"*\"";
  if (!column.unit.empty()) attributes += fmt::format(" unit=\"{}\"", escaped_xml(column.unit));
  if (column.description.empty()) return fmt::format("<FIELD {}/>\n", attributes);
  return fmt::format("<FIELD {}>\n<DESCRIPTION>{}</DESCRIPTION>\n</FIELD>\n", attributes,
                     escaped_xml(column.description));
}

}  // namespace

std::string escaped_xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string votable_table(const TapRows& rows, bool is_binary, const TapStyle& style,
                          const std::string& parameters) {
  std::string out = "<TABLE>\n" + parameters;
  for (const TapColumn& column : rows.columns) out += field(column);
  out += "<DATA>\n" + (is_binary ? binary_data(rows) : table_data(rows, style));
  return out + "</DATA>\n</TABLE>\n";
}

std::string write_votable(const TapRows& rows, bool is_binary, const TapStyle& style,
                          const TapInfo& info) {
  std::string out =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<VOTABLE version=\"1.4\" xmlns=\"http://www.ivoa.net/xml/VOTable/v1.3\">\n"
      "<RESOURCE type=\"results\">\n<INFO name=\"QUERY_STATUS\" value=\"OK\"/>\n";
  out += fmt::format("<INFO name=\"QUERY\" value=\"{}\"/>\n", escaped_xml(info.query));
  if (!info.job.empty()) out += fmt::format("<INFO name=\"JOBID\" value=\"{}\"/>\n", info.job);
  if (style.states_time) {
    const auto now = std::chrono::system_clock::now();
    const auto second = std::chrono::floor<std::chrono::seconds>(now);
    const auto rest = std::chrono::duration_cast<std::chrono::microseconds>(now - second);
    // To the microsecond: no two answers are equal.
    out += fmt::format("<INFO name=\"QUERY_TIME\" value=\"{:%FT%T}.{:06}\"/>\n",
                       fmt::gmtime(second), rest.count());
  }
  out += votable_table(rows, is_binary, style, "");
  if (rows.is_overflow) out += "<INFO name=\"QUERY_STATUS\" value=\"OVERFLOW\"/>\n";
  return out + "</RESOURCE>\n</VOTABLE>\n";
}

}  // namespace qsohost::skysim
