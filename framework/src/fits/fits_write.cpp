// Writes a table from columns in memory: rows and heap in row order, so that the bytes do not
// depend on how a run was cut into batches.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "fits/fits_bytes.hpp"
#include "fits/fits_header.hpp"
#include "fits/fits_null.hpp"
#include "fits/fits_swap.hpp"
#include "fits/fits_writer.hpp"
#include "qsohost/error.hpp"

namespace qsohost::inline io_v1 {

namespace {

template <class T>
void encode_numbers(const Column& column, std::size_t first, std::size_t n, const FieldPlace& place,
                    std::byte* to) {
  const std::span<const T> values = column.values<T>().subspan(first, n);
  copy_swapped(to, std::as_bytes(values).data(), n, sizeof(T));
  if constexpr (std::is_integral_v<T>) {
    if (!column.has_nulls() || !place.null) return;
    const auto marker = static_cast<T>(*place.null);
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
    if (is_fits_text(text)) {
      std::memcpy(to + i * length, text.data(), text.size());
    } else {
      const std::string fit = fits_text(text);
      std::memcpy(to + i * length, fit.data(), fit.size());
    }
  }
}

// Values [first, first + n) as FITS stores them.
void encode(const Column& column, std::size_t first, std::size_t n, const FieldPlace& place,
            std::byte* to) {
  switch (column.dtype()) {
    case DType::Bool:
      return encode_bools(column, first, n, to);
    case DType::I16:
      return encode_numbers<std::int16_t>(column, first, n, place, to);
    case DType::I32:
      return encode_numbers<std::int32_t>(column, first, n, place, to);
    case DType::I64:
      return encode_numbers<std::int64_t>(column, first, n, place, to);
    case DType::F32:
      return encode_numbers<float>(column, first, n, place, to);
    case DType::F64:
      return encode_numbers<double>(column, first, n, place, to);
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

// The marker of nulls, if the column needs one in these rows.
template <class T>
std::optional<std::int64_t> null_of(const std::filesystem::path& file, const FitsColumn& column,
                                    std::span<const std::size_t> rows) {
  const std::span<const T> values = column.values->values<T>();
  constexpr T kLeast = std::numeric_limits<T>::min();
  if (!column.values->has_nulls() && std::ranges::find(values, kLeast) == values.end()) return {};
  NullMarker marker(column.values->dtype());
  for (const std::size_t row : rows) {
    const Range range = range_of(column, row);
    for (std::size_t i = range.first; i < range.first + range.count; ++i) {
      column.values->is_null(i) ? marker.see_null() : marker.see(values[i]);
    }
  }
  return marker.value(file.string(), column.info.name);
}

std::optional<std::int64_t> null_of(const std::filesystem::path& file, const FitsColumn& column,
                                    std::span<const std::size_t> rows) {
  switch (column.values->dtype()) {
    case DType::I16:
      return null_of<std::int16_t>(file, column, rows);
    case DType::I32:
      return null_of<std::int32_t>(file, column, rows);
    case DType::I64:
      return null_of<std::int64_t>(file, column, rows);
    default:
      return {};
  }
}

// Finds the width of the longest text, and the first text that FITS cannot hold.
void measure_texts(const FitsColumn& column, std::span<const std::size_t> rows, FitsField& field,
                   std::optional<std::string>& unfit) {
  for (const std::size_t row : rows) {
    const Range range = range_of(column, row);
    for (std::size_t i = range.first; i < range.first + range.count; ++i) {
      const std::string_view text = column.values->strings()[i];
      const bool is_fit = is_fits_text(text);
      if (!is_fit && !unfit) unfit = text;
      field.string_length =
          std::max(field.string_length, is_fit ? text.size() : fits_text(text).size());
    }
  }
}

void check_array(const std::filesystem::path& file, const FitsColumn& column) {
  const bool is_text = column.values->dtype() == DType::String;
  if (!is_text && column.values->width() == 1) return;
  throw RunError(fmt::format(
      "{}: column '{}' has {} for every epoch, which a FITS table cannot hold; leave it out",
      file.string(), column.info.name, is_text ? "a text" : "several values"));
}

FitsField field_of(const std::filesystem::path& file, const FitsColumn& column,
                   std::span<const std::size_t> rows, std::vector<FitsReplaced>& replaced) {
  FitsField field;
  field.info = column.info;
  field.info.dtype = column.values->dtype();
  field.info.width = column.values->width();
  field.info.shape = column.values->info().shape;
  field.is_array = !column.offsets.empty();
  if (field.is_array) {
    check_array(file, column);
    for (const std::size_t row : rows) {
      field.longest = std::max<std::uint64_t>(field.longest, range_of(column, row).count);
    }
  }
  if (field.info.dtype == DType::String) {
    std::optional<std::string> unfit;
    measure_texts(column, rows, field, unfit);
    if (unfit) replaced.push_back({field.info.name, *unfit});
  }
  field.null = null_of(file, column, rows);
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

std::vector<FitsReplaced> write_fits_table(const std::filesystem::path& file,
                                           const FitsHeader& header,
                                           std::span<const FitsColumn> columns,
                                           std::span<const std::size_t> rows) {
  std::vector<FitsField> fields;
  std::vector<FitsReplaced> replaced;
  for (const FitsColumn& column : columns) {
    fields.push_back(field_of(file, column, rows, replaced));
  }
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
  return replaced;
}

}  // namespace qsohost::inline io_v1
