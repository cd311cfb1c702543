// Rows as bytes, copied from one table to another of the same columns: only strings change their
// width, nulls their marker, and descriptors their offsets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "files/opened_file.hpp"
#include "fits/fits_bytes.hpp"
#include "fits/fits_layout.hpp"

namespace qsohost::inline io_v1 {

// Memory that many tables use one after the other.
struct RawBuffers {
  std::vector<std::byte> rows;
  std::vector<std::byte> heap;
};

class RawTable {
 public:
  explicit RawTable(const std::filesystem::path& path, RawBuffers buffers = {})
      : file_(path), layout_(read_layout(file_)), buffers_(std::move(buffers)) {}

  const OpenedFile& file() const { return file_; }
  const FitsLayout& layout() const { return layout_; }
  const std::string& name() const { return file_.name(); }

  std::span<const std::byte> rows(std::uint64_t first, std::uint64_t count) {
    return bytes(first * layout_.row_bytes, count * layout_.row_bytes, buffers_.rows);
  }
  std::span<std::byte> heap(std::uint64_t offset, std::uint64_t count) {
    return bytes(layout_.heap_start + offset, count, buffers_.heap);
  }
  RawBuffers take_buffers() { return std::move(buffers_); }

 private:
  std::span<std::byte> bytes(std::uint64_t offset, std::uint64_t count,
                             std::vector<std::byte>& buffer) {
    if (buffer.size() < count) buffer.resize(count);
    const std::span<std::byte> out = std::span(buffer).first(count);
    file_.read(layout_.data_start + offset, out);
    return out;
  }

  OpenedFile file_;
  FitsLayout layout_;
  RawBuffers buffers_;
};

// Whether nulls are marked by another value in `out`, and the change of cells accordingly.
inline bool is_marked_anew(const FieldPlace& in, const FieldPlace& out) {
  return in.null && out.null && in.null != out.null;
}
void mark_nulls(std::span<std::byte> cells, const FieldPlace& in, const FieldPlace& out);

// One cell of strings.
void copy_strings(const std::byte* from, const FieldPlace& in, std::byte* to,
                  const FieldPlace& out);

// Writes row `row` as the product stores it; `moved` returns the new offset of a descriptor.
template <class Moved>
void copy_row(const RawTable& part, std::uint64_t row, const std::byte* from, std::byte* to,
              const FitsLayout& out, const Moved& moved) {
  const FitsLayout& in = part.layout();
  for (std::size_t i = 0; i < out.fields.size(); ++i) {
    const FieldPlace& a = in.places[i];
    const FieldPlace& b = out.places[i];
    if (out.fields[i].is_array) {
      Descriptor d = array_of(part.file(), in, i, row, from);
      d.offset = d.length == 0 ? 0 : moved(d.offset);
      store_descriptor(to + b.offset, d, b.wide);
    } else if (a.bytes == b.bytes) {
      std::memcpy(to + b.offset, from + a.offset, a.bytes);
      if (is_marked_anew(a, b)) mark_nulls({to + b.offset, b.bytes}, a, b);
    } else {
      copy_strings(from + a.offset, a, to + b.offset, b);
    }
  }
}

// The bytes of the heap that a row's arrays occupy: they are contiguous in files that we write.
Descriptor heap_of_row(const RawTable& table, std::uint64_t row, const std::byte* from);

}  // namespace qsohost::inline io_v1
