// TABLEDATA: cells are texts.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "qsohost/io/text.hpp"
#include "text/unicode.hpp"
#include "votable/votable_data.hpp"
#include "votable/votable_values.hpp"

namespace qsohost::inline io_v1 {

namespace {

// VOTable has the empty cell and NaN for missing numbers; archives write more words.
bool is_missing_value(std::string_view text, const VoField& field) {
  return is_missing(text) || (!field.null.empty() && text == field.null);
}

[[noreturn]] void refuse(std::string_view text, const VoField& field, std::string_view wanted) {
  bad_cell(field, fmt::format("'{}' is not {}, which its datatype wants", shown(text), wanted));
}

template <class T>
void append_one(std::string_view text, const VoField& field, Column& to) {
  if (is_missing_value(text, field)) return append_missing<T>(to);
  if constexpr (std::is_same_v<T, float>) {
    const auto value = parse_float(text);
    if (!value) refuse(text, field, "a number");
    append_number(*value, field, to);
  } else if constexpr (std::is_same_v<T, double>) {
    const auto value = parse_double(text);
    if (!value) refuse(text, field, "a number");
    append_number(*value, field, to);
  } else {
    const auto value = parse_int(text);
    const bool is_byte = field.type == VoType::UnsignedByte;
    const std::int64_t least = is_byte ? 0 : std::numeric_limits<T>::min();
    const std::int64_t most = is_byte ? 255 : std::numeric_limits<T>::max();
    if (!value) refuse(text, field, "an integer");
    if (*value < least || *value > most) {
      refuse(text, field, fmt::format("between {} and {}", least, most));
    }
    append_number(static_cast<T>(*value), field, to);
  }
}

template <>
void append_one<bool>(std::string_view text, const VoField& field, Column& to) {
  if (is_missing_value(text, field) || text == "?") return append_missing<bool>(to);
  const std::string word = lower_case(text);
  const bool is_true = word == "t" || word == "true" || word == "1";
  if (!is_true && word != "f" && word != "false" && word != "0") {
    refuse(text, field, "true or false");
  }
  to.append(is_true);
}

std::string_view next_word(std::string_view& rest) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::string_view word = rest.substr(0, rest.find_first_of(kBlanks));
  rest.remove_prefix(word.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(kBlanks), rest.size()));
  return word;
}

template <class T>
void append_numbers(std::string_view text, std::size_t field, VoRows& to) {
  const VoField& f = to.fields()[field];
  Cells& cells = to.cells(field);
  text = trimmed(text);
  const std::size_t width = f.column.info.width;
  if (!f.column.is_array && width == 1) return append_one<T>(text, f, cells.values);
  if (text.empty()) return to.append_blank(field);
  std::uint64_t count = 0;
  while (!text.empty()) {
    append_one<T>(next_word(text), f, cells.values);
    ++count;
  }
  if (f.column.is_array) {
    cells.lengths.push_back(count);
  } else if (count != width) {
    bad_cell(f, fmt::format("{} values where its arraysize says {}; there must be as many", count,
                            width));
  }
}

// The first `count` characters of UTF-8.
std::string_view first_characters(std::string_view text, std::uint64_t count) {
  std::size_t end = 0;
  while (end < text.size() && count > 0) {
    ++end;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
    --count;
  }
  return text.substr(0, end);
}

void append_texts(std::string_view text, std::size_t field, VoRows& to) {
  const VoField& f = to.fields()[field];
  Column& values = to.cells(field).values;
  if (f.text_length == 0) return append_text(text, f, values);
  if (trimmed(text).empty()) return to.append_blank(field);
  for (std::size_t i = 0; i < values.width(); ++i) {
    const std::string_view one = first_characters(text, f.text_length);
    append_text(one, f, values);
    text.remove_prefix(one.size());
  }
  if (!trimmed(text).empty()) {
    bad_cell(f, fmt::format("more than the {} texts that its arraysize says; there must be as many",
                            values.width()));
  }
}

void append_cell(std::string_view text, std::size_t field, VoRows& to) {
  if (!to.fields()[field].column.problem.empty()) return;
  switch (to.fields()[field].column.info.dtype) {
    case DType::Bool:
      return append_numbers<bool>(text, field, to);
    case DType::I16:
      return append_numbers<std::int16_t>(text, field, to);
    case DType::I32:
      return append_numbers<std::int32_t>(text, field, to);
    case DType::I64:
      return append_numbers<std::int64_t>(text, field, to);
    case DType::F32:
      return append_numbers<float>(text, field, to);
    case DType::F64:
      return append_numbers<double>(text, field, to);
    case DType::String:
      return append_texts(text, field, to);
  }
}

class TableData final : public VoData {
 public:
  TableData(const std::vector<VoField>& fields, VoRows* to) : fields_(fields), to_(to) {}

  void start(std::string_view element, const XmlAttributes& attributes) override {
    if (to_ == nullptr) return;
    if (element == "TD") begin_cell(attributes);
    if (element == "TR") cell_ = 0;
  }

  void text(std::string_view piece) override {
    if (in_cell_) text_ += piece;
  }

  void end(std::string_view element) override {
    if (element == "TD" && in_cell_) {
      append_cell(text_, cell_++, *to_);
      in_cell_ = false;
    }
    if (element == "TR") end_row();
  }

  void finish() override {}

 private:
  void begin_cell(const XmlAttributes& attributes) {
    if (cell_ == fields_.size()) fail_in_count("more");
    if (!attributes["encoding"].empty()) {
      bad_cell(fields_[cell_],
               fmt::format("a cell in {}, which is not read; save the table without",
                           attributes["encoding"]));
    }
    text_.clear();
    in_cell_ = true;
  }

  void end_row() {
    ++rows_;
    if (to_ == nullptr) return;
    if (cell_ != fields_.size()) fail_in_count(std::to_string(cell_));
    to_->finish_row();
  }

  [[noreturn]] void fail_in_count(std::string_view cells) const {
    throw BadData(
        fmt::format("{} cells (TD) where the table has {} columns (FIELD); there must be as many",
                    cells, fields_.size()));
  }

  const std::vector<VoField>& fields_;
  VoRows* to_;
  std::size_t cell_ = 0;
  bool in_cell_ = false;
  std::string text_;
};

}  // namespace

std::unique_ptr<VoData> read_tabledata(const std::vector<VoField>& fields, VoRows* to) {
  return std::make_unique<TableData>(fields, to);
}

}  // namespace qsohost::inline io_v1
