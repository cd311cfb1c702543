#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/big_endian.hpp"
#include "qsohost/error.hpp"
#include "qsohost/postgres.hpp"

namespace qsohost::inline v1 {

namespace {

constexpr std::string_view kSignature("PGCOPY\n\377\r\n\0", 11);

std::int32_t size_of(DType dtype) {
  constexpr std::array<std::int32_t, 7> sizes{1, 2, 4, 8, 4, 8, -1};
  static_assert(sizes.size() == static_cast<std::size_t>(DType::String) + 1,
                "each DType needs its size here");
  return sizes[static_cast<std::size_t>(dtype)];
}

// Describes a field; the caller adds the row.
struct WrongField {
  const PgColumn* column;
  std::string what;
};

// Destination of one column's values. Cells exist already except for variable-length arrays and
// texts, which are appended.
class Filler {
 public:
  Filler(const PgColumn& column, PgCells& cells, std::size_t rows)
      : column_(&column), cells_(&cells), dtype_(column.info.dtype), size_(size_of(dtype_)) {
    if (column.shape == PgShape::Varying) {
      cells.lengths.reserve(rows);
    } else if (dtype_ != DType::String) {
      resize(rows);
    }
  }

  // One field of a row: `length` bytes, or -1 for NULL.
  void field(const char* from, std::int32_t length) {
    if (column_->shape != PgShape::Scalar) return array(from, length);
    value(from, length);
  }

  void finish(std::size_t rows) {
    if (column_->shape != PgShape::Varying && dtype_ != DType::String) resize(rows);
  }

 private:
  void resize(std::size_t cells) {
    Column& values = cells_->values;
    values.resize(cells);
    switch (dtype_) {
      case DType::Bool:
        out_ = values.values<bool>().data();
        break;
      case DType::I16:
        out_ = values.values<std::int16_t>().data();
        break;
      case DType::I32:
        out_ = values.values<std::int32_t>().data();
        break;
      case DType::I64:
        out_ = values.values<std::int64_t>().data();
        break;
      case DType::F32:
        out_ = values.values<float>().data();
        break;
      case DType::F64:
        out_ = values.values<double>().data();
        break;
      case DType::String:
        break;
    }
  }

  [[noreturn]] void throw_wrong(std::string what) const {
    throw WrongField{column_, std::move(what)};
  }

  template <class T>
  void store(const char* from) {
    static_cast<T*>(out_)[at_++] = load_be<T>(from);
  }

  void value(const char* from, std::int32_t length) {
    if (dtype_ == DType::String) return text(from, length);
    if (length < 0) return cells_->values.set_null(at_++);
    if (length != size_) throw_wrong("its values do not have the size of its type");
    switch (dtype_) {
      case DType::Bool:
        return store<std::uint8_t>(from);
      case DType::I16:
        return store<std::int16_t>(from);
      case DType::I32:
        return store<std::int32_t>(from);
      case DType::I64:
        return store<std::int64_t>(from);
      case DType::F32:
        return store<float>(from);
      case DType::F64:
        return store<double>(from);
      case DType::String:
        break;
    }
  }

  void text(const char* from, std::int32_t length) {
    if (length < 0) {
      cells_->values.append_string("");
      return cells_->values.set_null(at_++);
    }
    std::string_view text(from, static_cast<std::size_t>(length));
    if (column_->is_padded) text = text.substr(0, text.find_last_not_of(' ') + 1);
    cells_->values.append_string(text);
    ++at_;
  }

  // Number of dimensions, NULL flag, type, then length and lower bound of each dimension, then the
  // elements, each in the format of a field of a row.
  void array(const char* from, std::int32_t length) {
    const char* const end = from + std::max(length, 0);
    std::size_t elements = 0;
    if (length >= 0) {
      const auto dimensions = length < 12 ? -1 : load_be<std::int32_t>(from);
      if (dimensions < 0 || dimensions > 1 || (dimensions == 1 && length < 20)) {
        throw_wrong("it has arrays of several dimensions");
      }
      if (dimensions == 1) elements = static_cast<std::size_t>(load_be<std::int32_t>(from + 12));
      from += dimensions == 1 ? 20 : 12;
      if (elements > static_cast<std::size_t>(end - from) / 4) throw_wrong("it is cut short");
    }
    make_room(elements, length < 0);
    if (length < 0 && column_->shape == PgShape::Fixed) {
      for (std::size_t i = 0; i < column_->info.width; ++i) value(nullptr, -1);
      return;
    }
    for (std::size_t i = 0; i < elements; ++i) {
      const auto size = end - from < 4 ? 0 : load_be<std::int32_t>(from);
      from += 4;
      if (size > end - from) throw_wrong("it is cut short");
      value(from, size);
      from += std::max(size, 0);
    }
  }

  void make_room(std::size_t elements, bool is_null) {
    if (column_->shape == PgShape::Varying) {
      cells_->lengths.push_back(elements);
      if (dtype_ != DType::String) resize(at_ + elements);
    } else if (!is_null && elements != column_->info.width) {
      throw_wrong(fmt::format("one array has {} elements, where others have {}", elements,
                              column_->info.width));
    }
  }

  const PgColumn* column_;
  PgCells* cells_;
  DType dtype_;
  std::int32_t size_;
  void* out_ = nullptr;
  std::size_t at_ = 0;  // value
};

void fill_row(const char* from, std::vector<Filler>& fillers, std::uint64_t row) {
  try {
    for (Filler& filler : fillers) {
      const auto size = load_be<std::int32_t>(from);
      from += 4;
      filler.field(from, size);
      from += std::max(size, 0);
    }
  } catch (const WrongField& wrong) {
    throw RunError(
        fmt::format("PostgreSQL: row {} of the answer: column '{}' ({}): {}; leave it out with "
                    "option 'columns'",
                    row, wrong.column->info.name, wrong.column->sql_type, wrong.what));
  }
}

}  // namespace

PgCopyReader::PgCopyReader(std::vector<PgColumn> columns, std::function<bool(std::string&)> more)
    : columns_(std::move(columns)), more_(std::move(more)) {}

// True if the buffer holds this many bytes from the start of the row.
bool PgCopyReader::need(std::size_t bytes) {
  while (buffer_.size() - at_ < bytes) {
    buffer_.erase(0, at_);
    at_ = 0;
    if (!more_(buffer_)) return false;
  }
  return true;
}

void PgCopyReader::read_header() {
  constexpr std::size_t fixed = 19;  // signature, flags, length of what follows
  if (!need(fixed) || buffer_.compare(0, kSignature.size(), kSignature) != 0) {
    throw RunError(
        "PostgreSQL: what it sent is no binary COPY stream; look whether a proxy changes it");
  }
  const std::size_t whole = fixed + load_be<std::uint32_t>(buffer_.data() + 15);
  if (!need(whole)) throw RunError("PostgreSQL: the COPY stream is cut; go on with --resume");
  at_ = whole;
  is_begun_ = true;
}

bool PgCopyReader::next_row() {
  if (is_done_) return false;
  const auto cut = [&] {
    throw RunError(
        fmt::format("PostgreSQL: the COPY stream is cut in row {}; go on with --resume", row_ + 1));
  };
  if (!need(2)) cut();
  const auto fields = load_be<std::int16_t>(buffer_.data() + at_);
  if (fields == -1) {
    is_done_ = true;
    return false;
  }
  if (static_cast<std::size_t>(fields) != columns_.size()) {
    throw RunError(
        fmt::format("PostgreSQL: row {} has {} columns instead of {}; go on with --resume",
                    row_ + 1, fields, columns_.size()));
  }
  std::size_t length = 2;
  for (std::int16_t k = 0; k < fields; ++k) {
    if (!need(length + 4)) cut();
    const auto size = load_be<std::int32_t>(buffer_.data() + at_ + length);
    length += 4 + static_cast<std::size_t>(std::max(size, 0));
  }
  if (!need(length)) cut();
  end_ = at_ + length;
  ++row_;
  return true;
}

std::vector<PgCells> PgCopyReader::next(std::size_t most) {
  if (!is_begun_) read_header();
  std::vector<PgCells> cells;
  cells.reserve(columns_.size());
  std::vector<Filler> fillers;
  for (const PgColumn& column : columns_) {
    ColumnInfo info = column.info;
    if (column.shape != PgShape::Fixed) info.width = 1;
    cells.push_back({Column(std::move(info)), {}});
    fillers.emplace_back(column, cells.back(), most);
  }
  std::size_t rows = 0;
  for (; rows < most && next_row(); ++rows) {
    fill_row(buffer_.data() + at_ + 2, fillers, row_);
    at_ = end_;
  }
  for (Filler& filler : fillers) filler.finish(rows);
  return cells;
}

}  // namespace qsohost::inline v1
