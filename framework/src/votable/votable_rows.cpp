#include "votable/votable_rows.hpp"

#include <fmt/format.h>

#include "files/block_input.hpp"

namespace qsohost::inline io_v1 {

VoRows::VoRows(const std::vector<VoField>& fields, std::string file, std::uint64_t most_blank)
    : fields_(fields), file_(std::move(file)), most_blank_(most_blank) {
  for (const VoField& field : fields_) cells_.push_back({Column(field.column.info), {}});
}

void VoRows::append_blank(std::size_t field) {
  const VoField& f = fields_[field];
  if (f.column.is_array) return cells_[field].lengths.push_back(0);
  if (f.column.info.width > 1) {
    blank_ += f.column.info.width;
    if (blank_ > most_blank_)
      bad_cell(f,
               "too many missing cells for the size of its arrays; save the table with arrays of "
               "varying size");
  }
  Column& values = cells_[field].values;
  const bool has_nan = values.dtype() == DType::F32 || values.dtype() == DType::F64;
  has_nan ? values.resize(values.size() + 1) : values.append_null();
}

void VoRows::warn(std::size_t field, std::string_view what) {
  warnings_.try_emplace(field, fmt::format("column '{}': {} (first in row {})",
                                           fields_[field].column.info.name, what, rows_ + 1));
}

void VoRows::finish_row() {
  ++rows_;
  if (rows_ % BlockInput::kBlockRows == 0) finish_block();
}

void VoRows::finish_block() {
  if (!spool_) {
    std::vector<ColumnInfo> columns;
    for (const VoField& field : fields_) columns.push_back(field.column.info);
    spool_ = std::make_unique<Spool>(std::move(columns), file_);
  }
  spool_->append(cells_);
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    cells_[i] = {Column(fields_[i].column.info), {}};
  }
  blank_ = 0;
}

std::unique_ptr<Spool> VoRows::finish() {
  if (rows_ % BlockInput::kBlockRows != 0) finish_block();
  return std::move(spool_);
}

std::vector<std::string> VoRows::warnings() const {
  std::vector<std::string> out;
  for (const auto& [field, warning] : warnings_) out.push_back(warning);
  return out;
}

}  // namespace qsohost::inline io_v1
