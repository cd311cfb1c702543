#include "fits/fits_sort.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "fits/fits_header.hpp"
#include "fits/fits_raw.hpp"
#include "fits/fits_writer.hpp"
#include "qsohost/error.hpp"

namespace qsohost::inline io_v1 {

namespace {

constexpr std::uint64_t kRowsSortedAtOnce = 4096;  // rows

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
  std::vector<Key<T>> keys;
  keys.reserve(table.rows());
  for (std::uint64_t first = 0; first < table.rows(); first += kRowsSortedAtOnce) {
    const std::uint64_t count = std::min(kRowsSortedAtOnce, table.rows() - first);
    const auto cells = table.read(first, count, std::span(&field, 1));
    for (std::size_t i = 0; i < count; ++i) keys.push_back(key_at<T>(cells[0].values, i));
  }
  return order_of(keys);
}

std::vector<std::uint64_t> sorted_rows(const std::filesystem::path& file,
                                       const std::string& column) {
  FitsTable table(file);
  const auto field = table.find(fits_text(column));
  if (!field || table.fields()[*field].is_array || table.fields()[*field].info.width != 1) {
    throw UsageError(
        fmt::format("{}: cannot be sorted by '{}': there is no such column with one "
                    "value a row; name one that has (option 'sort_by')",
                    file.string(), column));
  }
  const DType dtype = table.fields()[*field].info.dtype;
  if (dtype == DType::String) return sorted_rows<std::string>(table, *field);
  if (dtype == DType::I64) return sorted_rows<std::int64_t>(table, *field);
  return sorted_rows<double>(table, *field);
}

}  // namespace

void sort_table(const std::filesystem::path& unsorted, const std::filesystem::path& destination,
                const FitsHeader& header, const FitsOrder& order) {
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
      table.file().fail(
          "cannot be sorted: arrays of different rows share bytes; only products of runs can be "
          "sorted");
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

}  // namespace qsohost::inline io_v1
