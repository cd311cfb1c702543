#include "text/json_list.hpp"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

#include "qsohost/names.hpp"
#include "text/unicode.hpp"

namespace qsohost::inline io_v1 {

namespace {

class List {
 public:
  using See = std::function<bool(std::string_view, bool)>;
  List(std::string_view text, const See& see) : text_(trimmed(text)), see_(&see) {}

  bool read() {
    if (!text_.starts_with('[')) return false;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (is_blank(c)) {
        ++at_;
      } else if (!(c == '[' || c == ']' || c == ',' ? mark(c) : value())) {
        return false;
      } else if (depth_ == 0) {
        return at_ == text_.size();
      }
    }
    return false;
  }

 private:
  enum class Before : std::uint8_t { Open, Value, Comma };
  static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

  bool mark(char c);
  bool value();
  bool text_value();
  bool escape(std::string& out);
  std::optional<std::uint32_t> code_unit();

  std::string_view text_;
  const See* see_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  Before before_ = Before::Open;
};

bool List::mark(char c) {
  ++at_;
  if (c == ',') {
    if (before_ != Before::Value) return false;
    before_ = Before::Comma;
  } else if (c == '[') {
    if (before_ == Before::Value) return false;
    before_ = Before::Open;
    ++depth_;
  } else {
    if (before_ == Before::Comma) return false;
    before_ = Before::Value;
    --depth_;
  }
  return true;
}

bool List::value() {
  if (before_ == Before::Value) return false;
  before_ = Before::Value;
  if (text_[at_] == '"') return text_value();
  const std::size_t end = std::min(text_.find_first_of(" \t\r\n,[]\"", at_), text_.size());
  const std::string_view element = text_.substr(at_, end - at_);
  at_ = end;
  return (*see_)(element, false);
}

bool List::text_value() {
  std::string out;
  for (++at_; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (c == '"') {
      ++at_;
      return (*see_)(out, true);
    }
    if (c != '\\') {
      out += c;
    } else if (!escape(out)) {
      return false;
    }
  }
  return false;
}

// Of the escape whose backslash is at at_; leaves at_ at its last character.
bool List::escape(std::string& out) {
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  if (++at_ >= text_.size()) return false;
  if (const std::size_t i = kLetters.find(text_[at_]); i != std::string_view::npos) {
    out += kMeanings[i];
    return true;
  }
  auto code = code_unit();
  if (!code) return false;
  const bool is_first_of_pair = *code >= 0xD800 && *code < 0xDC00;
  if (is_first_of_pair && text_.substr(at_ + 1).starts_with("\\u")) {
    at_ += 2;
    const auto second = code_unit();
    if (!second || *second < 0xDC00 || *second > 0xDFFF) return false;
    code = 0x10000 + ((*code - 0xD800) << 10U) + (*second - 0xDC00);
  }
  append_utf8(*code, out);
  return true;
}

// Of the "u" at at_ and four digits behind it; leaves at_ at the last one.
std::optional<std::uint32_t> List::code_unit() {
  constexpr std::size_t kDigits = 4;
  if (text_[at_] != 'u') return std::nullopt;
  const auto code = hexadecimal(text_.substr(at_ + 1, kDigits), kDigits);
  at_ += kDigits;
  return code;
}

}  // namespace

bool for_each_element(std::string_view list, const List::See& see) {
  return List(list, see).read();
}

}  // namespace qsohost::inline io_v1
