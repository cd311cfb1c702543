#include "text/text_input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "files/block_input.hpp"
#include "text/ecsv_header.hpp"
#include "text/not_text.hpp"
#include "text/text_cells.hpp"
#include "text/text_layout.hpp"
#include "text/text_rows.hpp"
#include "text/type_survey.hpp"
#include "text/unicode.hpp"

namespace qsohost::inline io_v1 {

namespace {

class TextInput final : public BlockInput {
 public:
  explicit TextInput(OpenedFile file);

  std::string_view form() const override;
  std::uint64_t rows() const override { return rows_; }
  const std::vector<InputColumn>& columns() const override { return columns_; }
  std::string place(std::uint64_t row) const override;
  std::optional<std::string> keyword(const std::string& name) const override;
  std::vector<std::string> warnings() const override { return warnings_; }

 protected:
  std::vector<Cells> read_block(std::uint64_t number,
                                std::span<const std::size_t> columns) override;

 private:
  template <class F>
  auto reading(const F& f) const;
  void open_rows();
  void survey();
  void add_columns(const std::vector<TypeSurvey>& surveys);
  bool next_row();
  void refuse_binary(std::size_t offset);
  [[noreturn]] void refuse_change(std::string_view what) const;

  OpenedFile file_;
  std::string_view text_;
  TextLayout layout_;
  std::unique_ptr<LineReader> reader_;
  std::size_t header_line_ = 0;
  std::vector<std::string_view> cells_;  // of the row that was read last
  std::vector<InputColumn> columns_;
  std::uint64_t rows_ = 0;
  std::vector<TextPlace> blocks_;  // where each begins
  std::size_t searched_ = 0;       // bytes in which there is no NUL
  std::vector<std::string> warnings_;
  // Of the block that was read last.
  std::uint64_t block_ = 0;
  std::vector<std::size_t> lines_;
};

TextInput::TextInput(OpenedFile file) : file_(std::move(file)) {
  text_ = without_byte_order_mark(file_.text());
  refuse_binary(0);
  open_rows();
  survey();
}

// An error in a user's file stops the run, even if in a response it would affect one object.
template <class F>
auto TextInput::reading(const F& f) const {
  try {
    return f();
  } catch (const Error& e) {
    file_.fail(e.what());
  }
}

void TextInput::open_rows() {
  reading([&] {
    layout_ = find_layout(text_);
    const char line_end = layout_.cells.line_end;
    switch (layout_.form) {
      case TextForm::Separated:
        reader_ = read_separated(text_, layout_.cells, TableOrigin::User);
        break;
      case TextForm::Ecsv:
        reader_ = read_ecsv(text_, line_end);
        break;
      case TextForm::Ipac:
        reader_ = read_ipac(text_, line_end, TableOrigin::User);
        break;
    }
  });
  header_line_ = reader_->line();
}

// A megabyte is looked through at a time, before its rows are read.
void TextInput::refuse_binary(std::size_t offset) {
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  while (searched_ <= offset && searched_ < text_.size()) {
    const std::string_view piece = text_.substr(0, searched_ + kPiece);
    refuse_zero_byte(file_, piece, searched_);
    searched_ = piece.size();
  }
}

bool TextInput::next_row() {
  const std::size_t begin = reader_->place().offset;
  refuse_binary(begin);
  file_.forget_before(text_.data() + begin);
  return reading([&] { return reader_->next(cells_); });
}

void TextInput::survey() {
  const std::vector<CellType>& types = reader_->types();
  std::vector<TypeSurvey> surveys(types.begin(), types.end());
  for (;; ++rows_) {
    if (rows_ % kBlockRows == 0) {
      blocks_.push_back(reader_->place());
      reader_->seek(blocks_.back());  // so that it keeps no cells of the block before
    }
    if (!next_row()) break;
    for (std::size_t i = 0; i < surveys.size(); ++i) surveys[i].see(cells_[i], reader_->line());
  }
  add_columns(surveys);
}

void TextInput::add_columns(const std::vector<TypeSurvey>& surveys) {
  std::size_t line_not_utf8 = 0;
  const auto see = [&](std::size_t line) {
    if (line != 0 && (line_not_utf8 == 0 || line < line_not_utf8)) line_not_utf8 = line;
  };
  for (std::size_t i = 0; i < surveys.size(); ++i) {
    const TableField& field = reader_->fields()[i];
    InputColumn& column = columns_.emplace_back();
    column.info.name = field.name.empty() ? fmt::format("col{}", i + 1) : utf8_of(field.name);
    column.info.unit = utf8_of(field.unit);
    column.info.description = utf8_of(field.description);
    surveys[i].conclude(column);
    if (auto warning = surveys[i].warning(column.info.name)) {
      warnings_.push_back(std::move(*warning));
    }
    if (!is_utf8(field.name + field.unit + field.description)) see(header_line_);
    see(surveys[i].line_not_utf8());
  }
  if (line_not_utf8 != 0) {
    warnings_.push_back(fmt::format(
        "line {} is not in UTF-8; characters that are not are taken as ISO-8859-1 (Latin-1); save "
        "the file as UTF-8 if they come out wrong",
        line_not_utf8));
  }
}

std::vector<Cells> TextInput::read_block(std::uint64_t number,
                                         std::span<const std::size_t> columns) {
  const std::uint64_t count = std::min(kBlockRows, rows_ - number * kBlockRows);
  const std::vector<CellType>& types = reader_->types();
  std::vector<Cells> out;
  for (const std::size_t i : columns) {
    out.push_back({Column(columns_[i].info), {}});
    out.back().values.reserve(count);
  }
  reader_->seek(blocks_[number]);
  block_ = number;
  lines_.clear();
  while (lines_.size() < count && next_row()) {
    for (std::size_t k = 0; k < columns.size(); ++k) {
      const std::size_t i = columns[k];
      if (!append_cell(types[i], cells_[i], out[k])) refuse_change(cells_[i]);
    }
    lines_.push_back(reader_->line());
  }
  if (lines_.size() < count) refuse_change("the end of the file");
  return out;
}

void TextInput::refuse_change(std::string_view what) const {
  file_.fail(
      fmt::format("line {}: '{}' was not there when the file was opened; a file must not change "
                  "while it is read",
                  reader_->line(), shown(what)));
}

std::string TextInput::place(std::uint64_t row) const {
  const std::uint64_t within = row % kBlockRows;
  if (row / kBlockRows == block_ && within < lines_.size()) {
    return fmt::format("line {}", lines_[within]);
  }
  reader_->seek(blocks_[row / kBlockRows]);
  std::vector<std::string_view> cells;
  reading([&] {
    for (std::uint64_t i = 0; i <= within; ++i) reader_->next(cells);
  });
  return fmt::format("line {}", reader_->line());
}

std::optional<std::string> TextInput::keyword(const std::string& name) const {
  for (const auto& [keyword, value] : reader_->keywords()) {
    if (lower_case(keyword) == lower_case(name)) return value;
  }
  return std::nullopt;
}

std::string_view TextInput::form() const {
  if (layout_.form == TextForm::Ecsv) return "ECSV table";
  if (layout_.form == TextForm::Ipac) return "IPAC table";
  switch (layout_.cells.separator) {
    case '\t':
      return "TSV";
    case ';':
      return "table separated by semicolons";
    case ' ':
      return "table separated by blanks";
    default:
      return "CSV";
  }
}

}  // namespace

std::unique_ptr<TableInput> open_text(OpenedFile file) {
  return std::make_unique<TextInput>(std::move(file));
}

}  // namespace qsohost::inline io_v1
