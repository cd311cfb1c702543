// Writes a table from columns in memory: rows and heap in row order, so that the bytes do not
// depend on how a run was cut into batches.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "fits/fits_bytes.hpp"
#include "fits/fits_swap.hpp"
#include "fits/fits_writer.hpp"
#include "qsohost/error.hpp"

namespace qsohost::inline io_v1 {

namespace {

template <class T>
void encode_numbers(const Column& column, std::size_t first, std::size_t n, std::byte* to) {
  const std::span<const T> values = column.values<T>().subspan(first, n);
  copy_swapped(to, std::as_bytes(values).data(), n, sizeof(T));
  if constexpr (std::is_integral_v<T>) {
    if (!column.has_nulls()) return;
    const auto marker = static_cast<T>(null_marker(column.dtype()));
    for (std::size_t i = 0; i < n; ++i) {
      if (column.is_null(first + i)) store_be(to + i * sizeof(T), marker);
    }
  }
}

void encode_bools(const Column& column, std::size_t first, std::size_t n, std::byte* to) {
  const auto values = column.values<bool>().subspan(first, n);
  for (std::size_t i = 0; i < n; ++i) {
    const char letter = values[i] != 0 ? 'T' : 'F';
    to[i] = column.is_null(first + i) ? std::byte{0} : static_cast<std::byte>(letter);
  }
}

void encode_strings(const Column& column, std::size_t first, std::size_t n, std::size_t length,
                    std::byte* to) {
  std::fill_n(to, n * length, std::byte{' '});
  for (std::size_t i = 0; i < n; ++i) {
    const std::string_view text = column.strings()[first + i];
    std::memcpy(to + i * length, text.data(), text.size());
  }
}

// Values [first, first + n) as FITS stores them.
void encode(const Column& column, std::size_t first, std::size_t n, const FieldPlace& place,
            std::byte* to) {
  switch (column.dtype()) {
    case DType::Bool:
      return encode_bools(column, first, n, to);
    case DType::I16:
      return encode_numbers<std::int16_t>(column, first, n, to);
    case DType::I32:
      return encode_numbers<std::int32_t>(column, first, n, to);
    case DType::I64:
      return encode_numbers<std::int64_t>(column, first, n, to);
    case DType::F32:
      return encode_numbers<float>(column, first, n, to);
    case DType::F64:
      return encode_numbers<double>(column, first, n, to);
    case DType::String:
      return encode_strings(column, first, n, place.element_bytes, to);
  }
}

// The values of row `row` in a column.
struct Range {
  std::size_t first = 0;
  std::size_t count = 0;
};
Range range_of(const FitsColumn& column, std::size_t row) {
  if (!column.offsets.empty()) {
    return {column.offsets[row], column.offsets[row + 1] - column.offsets[row]};
  }
  const std::size_t width = column.values->width();
  return {row * width, width};
}

FitsField field_of(const std::filesystem::path& file, const FitsColumn& column,
                   std::span<const std::size_t> rows) {
  const Column& values = *column.values;
  FitsField field;
  field.info = column.info;
  field.info.dtype = values.dtype();
  field.info.width = values.width();
  field.is_array = !column.offsets.empty();
  const bool is_text = values.dtype() == DType::String;
  const bool is_integer =
      values.dtype() == DType::I16 || values.dtype() == DType::I32 || values.dtype() == DType::I64;
  if (field.is_array && (is_text || values.width() != 1)) {
    throw RunError(fmt::format(
        "{}: column '{}' has {} for every epoch, which a FITS table cannot hold; leave it out",
        file.string(), column.info.name, is_text ? "a text" : "several values"));
  }
  for (const std::size_t row : rows) {
    const Range range = range_of(column, row);
    if (field.is_array) field.longest = std::max<std::uint64_t>(field.longest, range.count);
    for (std::size_t i = range.first; is_text && i < range.first + range.count; ++i) {
      field.string_length = std::max(field.string_length, values.strings()[i].size());
    }
    for (std::size_t i = range.first;
         is_integer && values.has_nulls() && !field.nullable && i < range.first + range.count;
         ++i) {
      field.nullable = values.is_null(i);
    }
  }
  return field;
}

std::uint64_t heap_size(std::span<const FitsColumn> columns, const FitsLayout& layout,
                        std::span<const std::size_t> rows) {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (!layout.fields[i].is_array) continue;
    for (const std::size_t row : rows) {
      bytes += range_of(columns[i], row).count * layout.places[i].element_bytes;
    }
  }
  return bytes;
}

}  // namespace

void write_fits_table(const std::filesystem::path& file, const FitsHeader& header,
                      std::span<const FitsColumn> columns, std::span<const std::size_t> rows) {
  std::vector<FitsField> fields;
  for (const FitsColumn& column : columns) fields.push_back(field_of(file, column, rows));
  FitsLayout layout = make_layout(fields, rows.size(), 0, header.most_for_p);
  layout = make_layout(std::move(fields), rows.size(), heap_size(columns, layout, rows),
                       header.most_for_p);
  FitsWriter writer(file, header, layout);
  BufferedPart row_pieces(writer, BufferedPart::Part::Rows, layout.row_bytes);
  BufferedPart heap_pieces(writer, BufferedPart::Part::Heap);
  for (const std::size_t row : rows) {
    std::byte* const to = row_pieces.take(layout.row_bytes).data();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const FieldPlace& place = layout.places[i];
      const Range range = range_of(columns[i], row);
      if (!layout.fields[i].is_array) {
        encode(*columns[i].values, range.first, range.count, place, to + place.offset);
        continue;
      }
      const std::uint64_t offset = range.count == 0 ? 0 : heap_pieces.size();
      store_descriptor(to + place.offset, {range.count, offset}, place.wide);
      const auto bytes = heap_pieces.take(range.count * place.element_bytes);
      encode(*columns[i].values, range.first, range.count, place, bytes.data());
    }
  }
  row_pieces.flush();
  heap_pieces.flush();
  writer.finish();
}

}  // namespace qsohost::inline io_v1
