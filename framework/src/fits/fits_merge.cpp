// Merges tables into one. Rows and heaps are copied as bytes; only strings change their width, and
// descriptors their offsets.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <variant>

#include "fits/fits_bytes.hpp"
#include "fits/fits_header.hpp"
#include "fits/fits_writer.hpp"
#include "qsohost/error.hpp"
#include "qsohost/io/fits.hpp"

namespace qsohost::inline io_v1 {

namespace {

constexpr std::uint64_t kPiece = std::uint64_t{1} << 20;

class RawTable {
 public:
  explicit RawTable(const std::filesystem::path& path) : file_(path), layout_(read_layout(file_)) {}

  const OpenedFile& file() const { return file_; }
  const FitsLayout& layout() const { return layout_; }
  const std::string& name() const { return file_.name(); }

  std::span<const std::byte> rows(std::uint64_t first, std::uint64_t count) {
    return bytes(first * layout_.row_bytes, count * layout_.row_bytes, rows_);
  }
  std::span<const std::byte> heap(std::uint64_t offset, std::uint64_t count) {
    return bytes(layout_.heap_start + offset, count, heap_);
  }

 private:
  std::span<const std::byte> bytes(std::uint64_t offset, std::uint64_t count,
                                   std::vector<std::byte>& buffer) {
    buffer.resize(count);
    file_.read(layout_.data_start + offset, buffer);
    return buffer;
  }

  OpenedFile file_;
  FitsLayout layout_;
  std::vector<std::byte> rows_;
  std::vector<std::byte> heap_;
};

// Bytes are copied unchanged, so the part must have the format that we write.
void check_form(const RawTable& part) {
  const FitsLayout& in = part.layout();
  const FitsLayout ours = make_layout(in.fields, in.rows, in.heap_bytes, in.heap_bytes);
  for (std::size_t i = 0; i < in.fields.size(); ++i) {
    const FieldPlace& a = in.places[i];
    const FieldPlace& b = ours.places[i];
    if (in.fields[i].problem.empty() && a.code == b.code && a.element_bytes == b.element_bytes &&
        a.scale == 1 && a.zero == 0 && a.null == b.null) {
      continue;
    }
    part.file().fail(fmt::format(
        "cannot be merged: column '{}' is stored in another way than qsohost does it; only chunks "
        "of runs can be merged",
        in.fields[i].info.name));
  }
}

// Extends `merged` by what `next` needs; both must have the same columns.
void take_in(std::vector<FitsField>& merged, const RawTable& next, const std::string& first_name) {
  const std::vector<FitsField>& fields = next.layout().fields;
  const auto differ = [&](const std::string& what) {
    throw RunError(fmt::format("{} and {} cannot be merged: {}", first_name, next.name(), what));
  };
  if (merged.size() != fields.size()) {
    differ(fmt::format("one has {} columns, the other {}", merged.size(), fields.size()));
  }
  for (std::size_t i = 0; i < merged.size(); ++i) {
    FitsField& m = merged[i];
    const FitsField& f = fields[i];
    if (m.info.name != f.info.name || m.info.dtype != f.info.dtype ||
        m.info.width != f.info.width || m.is_array != f.is_array) {
      differ(fmt::format("column {} is '{}' ({} x {}) in one and '{}' ({} x {}) in the other",
                         i + 1, m.info.name, m.info.width, name_of(m.info.dtype), f.info.name,
                         f.info.width, name_of(f.info.dtype)));
    }
    m.string_length = std::max(m.string_length, f.string_length);
    m.longest = std::max(m.longest, f.longest);
    m.nullable = m.nullable || f.nullable;
  }
}

FitsLayout merged_layout(std::span<const std::filesystem::path> parts, const FitsHeader& header) {
  std::vector<FitsField> fields;
  std::uint64_t rows = 0;
  std::uint64_t heap_bytes = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const RawTable part(parts[i]);
    check_form(part);
    if (i == 0) fields = part.layout().fields;
    take_in(fields, part, parts[0].string());
    rows += part.layout().rows;
    heap_bytes += part.layout().heap_bytes;
  }
  return make_layout(std::move(fields), rows, heap_bytes, header.most_for_p);
}

void copy_strings(const std::byte* from, const FieldPlace& in, std::byte* to,
                  const FieldPlace& out) {
  std::fill_n(to, out.bytes, std::byte{' '});
  const std::size_t strings = in.bytes / in.element_bytes;
  for (std::size_t i = 0; i < strings; ++i) {
    std::memcpy(to + i * out.element_bytes, from + i * in.element_bytes, in.element_bytes);
  }
}

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
    } else {
      copy_strings(from + a.offset, a, to + b.offset, b);
    }
  }
}

void append_part(RawTable& part, const FitsLayout& layout, BufferedPart& rows, FitsWriter& writer,
                 std::uint64_t heap_base) {
  const FitsLayout& in = part.layout();
  const std::uint64_t block =
      std::max<std::uint64_t>(1, kPiece / std::max<std::uint64_t>(1, in.row_bytes));
  for (std::uint64_t first = 0; first < in.rows; first += block) {
    const std::uint64_t count = std::min(block, in.rows - first);
    const std::byte* from = part.rows(first, count).data();
    for (std::uint64_t row = 0; row < count; ++row) {
      copy_row(part, first + row, from + row * in.row_bytes, rows.take(layout.row_bytes).data(),
               layout, [&](std::uint64_t offset) { return heap_base + offset; });
    }
  }
  for (std::uint64_t at = 0; at < in.heap_bytes; at += kPiece) {
    writer.write_heap(heap_base + at, part.heap(at, std::min(kPiece, in.heap_bytes - at)));
  }
}

void concatenate(std::span<const std::filesystem::path> parts,
                 const std::filesystem::path& destination, const FitsHeader& header) {
  const FitsLayout layout = merged_layout(parts, header);
  FitsWriter writer(destination, header, layout);
  BufferedPart rows(writer, BufferedPart::Part::Rows, layout.row_bytes);
  std::uint64_t heap_base = 0;
  for (const std::filesystem::path& path : parts) {
    RawTable part(path);
    append_part(part, layout, rows, writer, heap_base);
    heap_base += part.layout().heap_bytes;
  }
  rows.flush();
  writer.finish();
}

template <class T>
std::vector<std::uint64_t> order_of(const std::vector<T>& keys) {
  std::vector<std::uint64_t> order(keys.size());
  std::iota(order.begin(), order.end(), std::uint64_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint64_t a, std::uint64_t b) { return keys[a] < keys[b]; });
  return order;
}

// The value by which a row is sorted; missing values come last.
template <class T>
struct Key {
  bool missing = false;
  T value{};
  bool operator<(const Key& other) const {
    if (missing != other.missing) return other.missing;
    return !missing && value < other.value;
  }
};

template <class T>
Key<T> key_at(const Column& column, std::size_t i) {
  if (column.is_null(i)) return {true, {}};
  if constexpr (std::is_same_v<T, std::string>) {
    const std::string_view text = column.strings()[i];
    return {text.empty(), std::string(text)};  // blank counts as missing
  } else if constexpr (std::is_same_v<T, double>) {
    const double value = column.number(i);
    return {value != value, value};
  } else {
    return {false, column.values<std::int64_t>()[i]};
  }
}

template <class T>
std::vector<std::uint64_t> sorted_rows(FitsTable& table, std::size_t field) {
  constexpr std::uint64_t kBlock = 4096;
  std::vector<Key<T>> keys;
  keys.reserve(table.rows());
  for (std::uint64_t first = 0; first < table.rows(); first += kBlock) {
    const std::uint64_t count = std::min(kBlock, table.rows() - first);
    const auto cells = table.read(first, count, std::span(&field, 1));
    for (std::size_t i = 0; i < count; ++i) keys.push_back(key_at<T>(cells[0].values, i));
  }
  return order_of(keys);
}

std::vector<std::uint64_t> sorted_rows(const std::filesystem::path& file,
                                       const std::string& column) {
  FitsTable table(file);
  const auto field = table.find(fits_header_text(column));
  if (!field || table.fields()[*field].is_array || table.fields()[*field].info.width != 1) {
    throw UsageError(
        fmt::format("{}: cannot be sorted by '{}': there is no such column with one "
                    "value a row",
                    file.string(), column));
  }
  const DType dtype = table.fields()[*field].info.dtype;
  if (dtype == DType::String) return sorted_rows<std::string>(table, *field);
  if (dtype == DType::I64) return sorted_rows<std::int64_t>(table, *field);
  return sorted_rows<double>(table, *field);
}

// The bytes of the heap that a row's arrays occupy: they are contiguous in files that we write.
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

void rewrite_in_order(const std::filesystem::path& unsorted,
                      const std::filesystem::path& destination, const FitsHeader& header,
                      const FitsOrder& order) {
  const std::vector<std::uint64_t> rows = sorted_rows(unsorted, order.column);
  RawTable table(unsorted);
  const FitsLayout& in = table.layout();
  std::vector<FitsField> fields = in.fields;
  if (order.drop_column) fields.pop_back();
  const FitsLayout layout =
      make_layout(std::move(fields), in.rows, in.heap_bytes, header.most_for_p);
  FitsWriter writer(destination, header, layout);
  BufferedPart row_pieces(writer, BufferedPart::Part::Rows, layout.row_bytes);
  BufferedPart heap_pieces(writer, BufferedPart::Part::Heap);
  for (const std::uint64_t row : rows) {
    const std::byte* from = table.rows(row, 1).data();
    const Descriptor heap = heap_of_row(table, row, from);
    const std::uint64_t base = heap_pieces.size();
    if (heap.length > in.heap_bytes - base) {
      table.file().fail("cannot be sorted: arrays of different rows share bytes");
    }
    if (heap.length > 0) {
      const auto bytes = table.heap(heap.offset, heap.length);
      std::memcpy(heap_pieces.take(heap.length).data(), bytes.data(), bytes.size());
    }
    copy_row(table, row, from, row_pieces.take(layout.row_bytes).data(), layout,
             [&](std::uint64_t offset) { return base + (offset - heap.offset); });
  }
  row_pieces.flush();
  heap_pieces.flush();
  writer.finish();
}

}  // namespace

void merge_fits_tables(std::span<const std::filesystem::path> parts,
                       const std::filesystem::path& destination, const FitsHeader& header,
                       const FitsOrder& order) {
  if (parts.empty()) {
    throw RunError(fmt::format("{}: nothing to merge", destination.string()));
  }
  if (order.column.empty()) return concatenate(parts, destination, header);
  std::filesystem::path unsorted = destination;
  unsorted += ".unsorted";
  concatenate(parts, unsorted, header);
  rewrite_in_order(unsorted, destination, header, order);
  std::filesystem::remove(unsorted);
}

}  // namespace qsohost::inline io_v1
