#include "text/type_survey.hpp"

#include <fmt/format.h>

#include "qsohost/names.hpp"
#include "text/text_cells.hpp"
#include "text/unicode.hpp"

namespace qsohost::inline io_v1 {

namespace {

// Only the first one is told.
void note(std::string& first, std::size_t line, std::string_view cell) {
  if (first.empty()) first = fmt::format("line {} has '{}'", line, shown(cell));
}

bool has_decimal_comma(std::string_view cell) {
  constexpr std::size_t kLongest = 32;
  const std::size_t comma = cell.find(',');
  if (comma == std::string_view::npos || cell.size() > kLongest) return false;
  std::string number(cell);
  number[comma] = '.';
  return kind_of(number) == CellKind::Float;
}

}  // namespace

TypeSurvey::TypeSurvey(const CellType& declared)
    : declared_(&declared),
      scratch_{Column({"", declared.dtype.value_or(DType::F64), "", "", declared.width}), {}} {}

void TypeSurvey::see(std::string_view cell, std::size_t line) {
  if (declared_->dtype == DType::String) see_text(cell, line);
  if (declared_->dtype && !is_declared_text()) see_declared(cell, line);
  if (declared_->dtype) return;
  const CellKind kind = kind_of(cell);
  switch (kind) {
    case CellKind::Integer:
      ++integers_;
      break;
    case CellKind::Float:
      ++floats_;
      note(not_integer_, line, cell);
      break;
    case CellKind::LongInteger:
      ++long_integers_;
      note(not_integer_, line, cell);
      note(long_integer_, line, cell);
      break;
    case CellKind::Text:
      ++texts_;
      note(not_integer_, line, cell);
      note(not_number_, line, cell);
      if (has_decimal_comma(cell)) ++decimal_commas_;
      see_text(cell, line);
      break;
    case CellKind::Missing:
      break;
  }
}

// Digits of integers are kept even where they are more than the declared type has.
void TypeSurvey::see_declared(std::string_view cell, std::size_t line) {
  const bool is_of_type = append_cell(*declared_, cell, scratch_);
  scratch_.values.resize(0);
  scratch_.lengths.clear();
  if (is_of_type) return;
  if (declared_->dtype == DType::I64 && kind_of(cell) == CellKind::LongInteger) {
    ++long_integers_;
    note(long_integer_, line, cell);
  } else {
    note(not_declared_, line, cell);
  }
}

void TypeSurvey::see_text(std::string_view cell, std::size_t line) {
  if (line_not_utf8_ == 0 && !is_utf8(cell)) line_not_utf8_ = line;
}

void TypeSurvey::conclude(InputColumn& column) const {
  column.is_array = declared_->is_array;
  column.info.width = declared_->width;
  column.info.shape = declared_->shape;
  column.problem = declared_->problem;
  if (is_declared_text()) {
    column.info.dtype = DType::String;
    column.not_integer = column.not_number =
        fmt::format("its header declares it a text ({})", declared_->name);
  } else if (is_text()) {
    column.info.dtype = DType::String;
    column.not_number = texts_ > 0 ? not_number_ : long_integer_;
    column.not_integer = not_integer_.empty() ? long_integer_ : not_integer_;
  } else if (declared_->dtype) {
    column.info.dtype = *declared_->dtype;
  } else {
    const bool is_integer = integers_ > 0 && floats_ == 0;
    column.info.dtype = is_integer ? DType::I64 : DType::F64;
    column.not_integer = not_integer_;
  }
  if (!not_declared_.empty()) {
    column.problem = fmt::format("{}, but the header declares {}", not_declared_, declared_->name);
  }
}

std::optional<std::string> TypeSurvey::warning(std::string_view name) const {
  if (texts_ == 0 && is_text()) {
    return fmt::format("column '{}' is a text, so that all digits are kept: {}, beyond 64 bits",
                       shown(name), long_integer_);
  }
  if (decimal_commas_ > 0 && decimal_commas_ == texts_) {
    return fmt::format(
        "column '{}' is a text because {}, with a comma; write numbers with a decimal point",
        shown(name), not_number_);
  }
  if (texts_ == 0 || integers_ + floats_ <= texts_ + long_integers_) return std::nullopt;
  return fmt::format(
      "column '{}' is a text because {}; if it is one of numbers, correct the cell; a missing "
      "value "
      "is an empty cell or NULL",
      shown(name), not_number_);
}

}  // namespace qsohost::inline io_v1
