#include "fits/fits_raw.hpp"

#include <algorithm>

namespace qsohost::inline io_v1 {

namespace {

template <class T>
void mark_nulls(std::span<std::byte> cells, std::int64_t from, std::int64_t to) {
  for (std::size_t at = 0; at + sizeof(T) <= cells.size(); at += sizeof(T)) {
    std::byte* const cell = cells.data() + at;
    if (std::int64_t{load_be<T>(cell)} == from) store_be(cell, static_cast<T>(to));
  }
}

}  // namespace

void mark_nulls(std::span<std::byte> cells, const FieldPlace& in, const FieldPlace& out) {
  switch (in.element_bytes) {
    case 2:
      return mark_nulls<std::int16_t>(cells, *in.null, *out.null);
    case 4:
      return mark_nulls<std::int32_t>(cells, *in.null, *out.null);
    default:
      return mark_nulls<std::int64_t>(cells, *in.null, *out.null);
  }
}

void copy_strings(const std::byte* from, const FieldPlace& in, std::byte* to,
                  const FieldPlace& out) {
  std::fill_n(to, out.bytes, std::byte{' '});
  const std::size_t strings = in.bytes / in.element_bytes;
  for (std::size_t i = 0; i < strings; ++i) {
    std::memcpy(to + i * out.element_bytes, from + i * in.element_bytes, in.element_bytes);
  }
}

Descriptor heap_of_row(const RawTable& table, std::uint64_t row, const std::byte* from) {
  const FitsLayout& layout = table.layout();
  std::uint64_t begin = layout.heap_bytes;
  std::uint64_t end = 0;
  for (std::size_t i = 0; i < layout.fields.size(); ++i) {
    if (!layout.fields[i].is_array) continue;
    const Descriptor d = array_of(table.file(), layout, i, row, from);
    if (d.length == 0) continue;
    begin = std::min(begin, d.offset);
    end = std::max(end, d.offset + d.length * layout.places[i].element_bytes);
  }
  return {end > begin ? end - begin : 0, begin};
}

}  // namespace qsohost::inline io_v1
