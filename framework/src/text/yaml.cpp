#include "text/yaml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "qsohost/error.hpp"
#include "qsohost/names.hpp"
#include "text/unicode.hpp"

namespace qsohost::inline io_v1 {

namespace {

constexpr std::string_view kBlank = " \t\n";

[[noreturn]] void malformed(std::size_t line, std::string_view what) {
  throw BadObject(
      fmt::format("line {}: this part of the YAML header cannot be read: {}; correct it, or save "
                  "the table anew",
                  line, what));
}

bool is_item(std::string_view text) {
  return text == "-" || text.starts_with("- ");
}

// Scalars and flow mappings in a text whose lines have no indents.
class Reader {
 public:
  Reader(std::string text, std::size_t line) : text_(std::move(text)), line_(line) {}

  std::map<std::string, std::string> mapping();
  // A key ends at its colon; a value in a flow mapping also at a comma or bracket.
  enum class Kind : std::uint8_t { Key, FlowValue, BlockValue };
  std::string scalar(Kind kind);

  void skip_blanks() { at_ = std::min(text_.find_first_not_of(kBlank, at_), text_.size()); }
  bool take(char c);
  std::size_t at() const { return at_; }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_properties();
  void skip_nested();
  std::string single_quoted();
  std::string double_quoted();
  void escape(std::string& out);
  void fold(std::string& out);
  std::string plain(Kind kind);
  bool ends_plain(Kind kind) const;

  std::string text_;
  std::size_t line_;
  std::size_t at_ = 0;
};

bool Reader::take(char c) {
  skip_blanks();
  if (peek() != c) return false;
  ++at_;
  return true;
}

std::map<std::string, std::string> Reader::mapping() {
  std::map<std::string, std::string> out;
  take('{');
  while (!take('}')) {
    const std::string key = scalar(Kind::Key);
    if (!take(':')) malformed(line_, fmt::format("no ':' behind '{}'", shown(key)));
    out[key] = scalar(Kind::FlowValue);
    if (!take(',') && peek() != '}') malformed(line_, "a '{' without its '}'");
  }
  return out;
}

std::string Reader::scalar(Kind kind) {
  skip_blanks();
  skip_properties();
  switch (peek()) {
    case '"':
      return double_quoted();
    case '\'':
      return single_quoted();
    case '{':
    case '[':
      skip_nested();
      return "";
    case '|':
    case '>':  // of block scalars; the lines below follow
      if (kind == Kind::BlockValue) at_ = std::min(text_.find('\n', at_), text_.size());
      break;
    default:
      break;
  }
  return plain(kind);
}

// Tags and anchors: !!omap, &id001.
void Reader::skip_properties() {
  while (peek() == '!' || peek() == '&') {
    at_ = std::min(text_.find_first_of(kBlank, at_), text_.size());
    skip_blanks();
  }
}

void Reader::skip_nested() {
  std::size_t depth = 0;
  while (at_ < text_.size()) {
    const char c = peek();
    if (c == '"') {
      double_quoted();
    } else if (c == '\'') {
      single_quoted();
    } else {
      ++at_;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) return;
    }
  }
  malformed(line_, "a bracket that is never closed");
}

std::string Reader::single_quoted() {
  std::string out;
  for (++at_; at_ < text_.size();) {
    const char c = text_[at_++];
    if (c == '\n') {
      fold(out);
    } else if (c != '\'') {
      out += c;
    } else if (peek() == '\'') {
      out += text_[at_++];
    } else {
      return out;
    }
  }
  malformed(line_, "a quote that is never closed");
}

std::string Reader::double_quoted() {
  std::string out;
  for (++at_; at_ < text_.size();) {
    const char c = text_[at_++];
    if (c == '"') return out;
    if (c == '\n') {
      fold(out);
    } else if (c == '\\') {
      escape(out);
    } else {
      out += c;
    }
  }
  malformed(line_, "a quote that is never closed");
}

// A line end in quotes, which is at at_ - 1, is a blank; so are several.
void Reader::fold(std::string& out) {
  skip_blanks();
  out += ' ';
}

// Of an escape whose backslash is at at_ - 1.
void Reader::escape(std::string& out) {
  constexpr std::string_view kLetters = "0abtnvfre \"/\\N_";
  constexpr std::string_view kMeanings("\0\a\b\t\n\v\f\r\x1b \"/\\  ", 15);
  constexpr std::string_view kCodes = "xuU";
  if (at_ >= text_.size()) malformed(line_, "a quote that is never closed");
  const char c = text_[at_++];
  if (c == '\n') {
    skip_blanks();
    return;
  }
  if (const std::size_t i = kLetters.find(c); i != std::string_view::npos) {
    out += kMeanings[i];
    return;
  }
  const std::size_t kind = kCodes.find(c);
  const std::size_t digits = kind == std::string_view::npos ? 0 : std::size_t{2} << kind;
  const auto code = hexadecimal(std::string_view(text_).substr(at_, digits), digits);
  if (!code) malformed(line_, fmt::format("the escape '\\{}'", shown({&c, 1})));
  append_utf8(*code, out);
  at_ += digits;
}

bool Reader::ends_plain(Kind kind) const {
  const char c = text_[at_];
  const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\n';
  if (kind == Kind::Key && c == ':') return kBlank.find(next) != std::string_view::npos;
  if (c == '#') return at_ > 0 && kBlank.find(text_[at_ - 1]) != std::string_view::npos;
  return kind != Kind::BlockValue && (c == ',' || c == '}');
}

std::string Reader::plain(Kind kind) {
  std::string out;
  for (; at_ < text_.size() && !ends_plain(kind); ++at_) {
    out += text_[at_] == '\n' ? ' ' : text_[at_];
  }
  out = trimmed(out);
  return out == "null" || out == "~" ? "" : out;
}

std::string joined(const YamlLines& lines) {
  std::string out;
  for (const YamlLine& line : lines) {
    if (!out.empty()) out += '\n';
    out += line.text;
  }
  return out;
}

std::size_t first_line(const YamlLines& lines) {
  return lines.empty() ? 0 : lines.front().number;
}

}  // namespace

YamlLine yaml_line(std::string_view line, std::size_t number) {
  const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
  return {number, indent, trimmed(line.substr(indent))};
}

std::map<std::string, YamlLines> yaml_mapping(const YamlLines& lines) {
  std::map<std::string, YamlLines> out;
  YamlLines* value = nullptr;
  for (const YamlLine& line : lines) {
    const bool is_key = line.indent == lines.front().indent && !is_item(line.text);
    if (line.text.empty() || (value != nullptr && !is_key)) {
      if (value != nullptr) value->push_back(line);
      continue;
    }
    Reader reader(std::string(line.text), line.number);
    const std::string key = reader.scalar(Reader::Kind::Key);
    if (!reader.take(':')) {
      malformed(line.number, fmt::format("no key with a ':' in '{}'", shown(line.text)));
    }
    value = &out[key];
    *value = {{line.number, line.indent + 1, trimmed(line.text.substr(reader.at()))}};
  }
  return out;
}

std::vector<YamlLines> yaml_items(const YamlLines& lines) {
  std::vector<YamlLines> out;
  std::size_t indent = 0;  // of the dashes
  for (const YamlLine& line : lines) {
    const bool is_next = is_item(line.text) && (out.empty() || line.indent == indent);
    if (is_next) {
      indent = line.indent;
      const std::size_t begin = std::min(line.text.find_first_not_of(' ', 1), line.text.size());
      YamlLines& item = out.emplace_back();
      if (begin < line.text.size()) {
        item.push_back({line.number, indent + begin, line.text.substr(begin)});
      }
    } else if (!out.empty()) {
      out.back().push_back(line);
    } else if (!line.text.empty()) {
      malformed(line.number, fmt::format("no '- ' before '{}'", shown(line.text)));
    }
  }
  return out;
}

std::map<std::string, std::string> yaml_scalars(const YamlLines& lines) {
  if (!lines.empty() && lines.front().text.starts_with('{')) {
    return Reader(joined(lines), first_line(lines)).mapping();
  }
  std::map<std::string, std::string> out;
  for (const auto& [key, value] : yaml_mapping(lines)) out[key] = yaml_scalar(value);
  return out;
}

std::string yaml_scalar(const YamlLines& lines) {
  return Reader(joined(lines), first_line(lines)).scalar(Reader::Kind::BlockValue);
}

}  // namespace qsohost::inline io_v1
