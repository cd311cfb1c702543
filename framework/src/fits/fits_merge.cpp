// Merges tables into one.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <future>

#include "files/read_ahead.hpp"
#include "fits/fits_bytes.hpp"
#include "fits/fits_null.hpp"
#include "fits/fits_raw.hpp"
#include "fits/fits_sort.hpp"
#include "fits/fits_writer.hpp"
#include "qsohost/error.hpp"
#include "qsohost/io/fits.hpp"

namespace qsohost::inline io_v1 {

namespace {

constexpr std::uint64_t kPiece = std::uint64_t{1} << 20;  // bytes
constexpr std::uint64_t kRowsAtOnce = 4096;               // rows
constexpr std::uint64_t kHead = std::uint64_t{64} << 10;  // bytes; most headers are shorter

// Bytes are copied unchanged, so the part must have the format that we write.
void check_form(const RawTable& part) {
  const FitsLayout& in = part.layout();
  const FitsLayout ours = make_layout(in.fields, in.rows, in.heap_bytes, in.heap_bytes);
  for (std::size_t i = 0; i < in.fields.size(); ++i) {
    const FieldPlace& a = in.places[i];
    const FieldPlace& b = ours.places[i];
    if (in.fields[i].problem.empty() && !a.is_text && a.code == b.code &&
        a.element_bytes == b.element_bytes && a.scale == 1 && a.zero == 0) {
      continue;
    }
    part.file().fail(fmt::format(
        "cannot be merged: column '{}' is stored in another way than qsohost does it; only chunks "
        "of runs can be merged",
        in.fields[i].info.name));
  }
}

// "'psf' (3x2 f32)"
std::string described(const FitsField& field) {
  const ColumnInfo& info = field.info;
  return fmt::format("'{}' ({} {})", info.name,
                     info.shape.empty() ? std::to_string(info.width)
                                        : fmt::format("{}", fmt::join(info.shape, "x")),
                     name_of(info.dtype));
}

// Extends `merged` by what `next` needs; both must have the same columns.
void take_in(std::vector<FitsField>& merged, const RawTable& next, const std::string& first_name) {
  const std::vector<FitsField>& fields = next.layout().fields;
  const auto differ = [&](const std::string& what) {
    throw RunError(fmt::format("{} and {} cannot be merged: {}; they must be of one run",
                               first_name, next.name(), what));
  };
  if (merged.size() != fields.size()) {
    differ(fmt::format("one has {} columns, the other {}", merged.size(), fields.size()));
  }
  for (std::size_t i = 0; i < merged.size(); ++i) {
    FitsField& m = merged[i];
    const FitsField& f = fields[i];
    if (m.info.name != f.info.name || m.info.dtype != f.info.dtype ||
        m.info.width != f.info.width || m.info.shape != f.info.shape || m.is_array != f.is_array) {
      differ(fmt::format("column {} is {} in one and {} in the other", i + 1, described(m),
                         described(f)));
    }
    m.string_length = std::max(m.string_length, f.string_length);
    m.longest = std::max(m.longest, f.longest);
    m.null = std::max(m.null, f.null);  // the least value unless a part holds that
  }
}

std::int64_t integer_at(const Column& column, std::size_t i) {
  if (column.dtype() == DType::I64) return column.values<std::int64_t>()[i];
  return static_cast<std::int64_t>(column.number(i));
}

// The least value that no part has in the column.
std::optional<std::int64_t> null_for_all(std::span<const std::filesystem::path> parts,
                                         std::size_t field, const ColumnInfo& info) {
  NullMarker marker(info.dtype);
  for (const std::filesystem::path& path : parts) {
    FitsTable part(path);
    for (std::uint64_t first = 0; first < part.rows(); first += kRowsAtOnce) {
      const std::uint64_t count = std::min(kRowsAtOnce, part.rows() - first);
      const auto cells = part.read(first, count, std::span(&field, 1));
      const Column& column = cells[0].values;
      for (std::size_t i = 0; i < column.size() * column.width(); ++i) {
        column.is_null(i) ? marker.see_null() : marker.see(integer_at(column, i));
      }
    }
  }
  return marker.value(parts[0].string(), info.name);
}

// Where the rows and the heap of a part go.
struct PartPlace {
  std::uint64_t first_row = 0;
  std::uint64_t heap_base = 0;  // bytes
};

struct MergePlan {
  FitsLayout layout;
  std::vector<PartPlace> places;  // of each part, and the end
};

MergePlan plan_merge(std::span<const std::filesystem::path> parts, const FitsHeader& header,
                     const CheckPart& check) {
  std::vector<FitsField> fields;
  std::vector<PartPlace> places(1);
  std::vector<std::size_t> marked;  // parts in which the column has a marker of nulls
  ReadAhead ahead(parts, kHead);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    ahead.reached(i);
    const RawTable part(parts[i]);
    check_form(part);
    if (check) check(i, part.layout().rows);
    if (i == 0) fields = part.layout().fields;
    take_in(fields, part, parts[0].string());
    marked.resize(fields.size());
    for (std::size_t k = 0; k < fields.size(); ++k) {
      if (part.layout().fields[k].null) ++marked[k];
    }
    places.push_back({places.back().first_row + part.layout().rows,
                      places.back().heap_base + part.layout().heap_bytes});
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (!fields[i].null) continue;
    const ColumnInfo& info = fields[i].info;
    const bool is_least = *fields[i].null == least_value(info.dtype);
    const bool may_be_full = info.dtype == DType::I16 && marked[i] < parts.size();
    if (!is_least || may_be_full) fields[i].null = null_for_all(parts, i, info);
  }
  const PartPlace& end = places.back();
  FitsLayout layout =
      make_layout(std::move(fields), end.first_row, end.heap_base, header.most_for_p);
  return {std::move(layout), std::move(places)};
}

// Copies the heap row by row, for arrays whose nulls are marked by another value.
void append_marked_heap(RawTable& part, const FitsLayout& layout, FitsWriter& writer,
                        std::uint64_t heap_base) {
  const FitsLayout& in = part.layout();
  std::uint64_t end = 0;
  for (std::uint64_t row = 0; row < in.rows; ++row) {
    const std::byte* from = part.rows(row, 1).data();
    const Descriptor heap = heap_of_row(part, row, from);
    if (heap.length == 0) continue;
    if (heap.offset < end)
      part.file().fail(
          "cannot be merged: arrays of rows share bytes; only chunks of runs can be merged");
    end = heap.offset + heap.length;
    const std::span<std::byte> bytes = part.heap(heap.offset, heap.length);
    for (std::size_t i = 0; i < in.fields.size(); ++i) {
      const FieldPlace& a = in.places[i];
      if (!in.fields[i].is_array || !is_marked_anew(a, layout.places[i])) continue;
      const Descriptor d = array_of(part.file(), in, i, row, from);
      if (d.length == 0) continue;
      mark_nulls(bytes.subspan(d.offset - heap.offset, d.length * a.element_bytes), a,
                 layout.places[i]);
    }
    writer.write_heap(heap_base + heap.offset, bytes);
  }
}

void append_part(RawTable& part, const FitsLayout& layout, BufferedPart& rows, FitsWriter& writer,
                 std::uint64_t heap_base) {
  const FitsLayout& in = part.layout();
  if (in.row_bytes == 0) return;  // without columns there is nothing to copy
  const std::uint64_t block = std::max<std::uint64_t>(1, kPiece / in.row_bytes);
  for (std::uint64_t first = 0; first < in.rows; first += block) {
    const std::uint64_t count = std::min(block, in.rows - first);
    const std::byte* from = part.rows(first, count).data();
    for (std::uint64_t row = 0; row < count; ++row) {
      copy_row(part, first + row, from + row * in.row_bytes, rows.take(layout.row_bytes).data(),
               layout, [&](std::uint64_t offset) { return heap_base + offset; });
    }
  }
  for (std::size_t i = 0; i < in.fields.size(); ++i) {
    if (in.fields[i].is_array && is_marked_anew(in.places[i], layout.places[i])) {
      return append_marked_heap(part, layout, writer, heap_base);
    }
  }
  for (std::uint64_t at = 0; at < in.heap_bytes; at += kPiece) {
    writer.write_heap(heap_base + at, part.heap(at, std::min(kPiece, in.heap_bytes - at)));
  }
}

void check_unchanged(const RawTable& part, const PartPlace& place, const PartPlace& next) {
  if (part.layout().rows == next.first_row - place.first_row &&
      part.layout().heap_bytes == next.heap_base - place.heap_base) {
    return;
  }
  part.file().fail("was changed while it was merged; merge again when nothing writes to it");
}

// Copies parts that no other thread has taken.
void copy_parts(std::span<const std::filesystem::path> parts, const MergePlan& plan,
                std::atomic<std::size_t>& next, ReadAhead& ahead, FitsWriter& writer) {
  BufferedPart rows(writer, BufferedPart::Part::Rows, plan.layout.row_bytes);
  RawBuffers buffers;
  for (std::size_t i = next++; i < parts.size(); i = next++) {
    ahead.reached(i);
    RawTable part(parts[i], std::move(buffers));
    check_unchanged(part, plan.places[i], plan.places[i + 1]);
    rows.go_to_row(plan.places[i].first_row);
    append_part(part, plan.layout, rows, writer, plan.places[i].heap_base);
    buffers = part.take_buffers();
  }
  rows.flush();
}

void concatenate(std::span<const std::filesystem::path> parts,
                 const std::filesystem::path& destination, const FitsHeader& header,
                 const CheckPart& check) {
  const MergePlan plan = plan_merge(parts, header, check);
  FitsWriter writer(destination, header, plan.layout);
  std::atomic<std::size_t> next = 0;
  ReadAhead ahead(parts, 0);
  const auto copy = [&] {
    try {
      copy_parts(parts, plan, next, ahead, writer);
    } catch (...) {
      next = parts.size();
      throw;
    }
  };
  // One thread reads while the other writes; more would wait for each other at the one file.
  std::future<void> other = std::async(copy);
  copy();
  other.get();
  writer.finish();
}

}  // namespace

void merge_fits_tables(std::span<const std::filesystem::path> parts,
                       const std::filesystem::path& destination, const FitsHeader& header,
                       const FitsOrder& order, const CheckPart& check) {
  if (parts.empty()) {
    throw RunError(fmt::format("{}: nothing to merge; there must be at least one chunk",
                               destination.string()));
  }
  if (order.column.empty()) return concatenate(parts, destination, header, check);
  std::filesystem::path unsorted = destination;
  unsorted += ".unsorted";
  concatenate(parts, unsorted, header, check);
  sort_table(unsorted, destination, header, order);
  std::filesystem::remove(unsorted);
}

}  // namespace qsohost::inline io_v1
