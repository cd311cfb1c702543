// Reading: rows come as raw bytes in one piece, arrays as pieces of the heap that stay in the cache
// during decoding.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "fits/fits_bytes.hpp"
#include "fits/fits_layout.hpp"
#include "fits/fits_swap.hpp"
#include "qsohost/error.hpp"
#include "qsohost/io/fits.hpp"

namespace qsohost::inline io_v1 {

namespace {

constexpr std::uint64_t kMostShared = std::uint64_t{64} << 20;  // bytes
constexpr std::uint64_t kPiece = std::uint64_t{256} << 10;      // bytes of a heap read at once

std::string_view trimmed(const std::byte* from, std::size_t bytes) {
  std::string_view text(reinterpret_cast<const char*>(from), bytes);
  text = text.substr(0, text.find('\0'));
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

template <class Raw, class T>
T converted(Raw raw, const FieldPlace& place) {
  if constexpr (std::is_integral_v<T> && std::is_integral_v<Raw>) {
    if (place.zero == 0x1p63) {  // unsigned 64 bits; the caller detects overflow
      return static_cast<T>(static_cast<std::uint64_t>(raw) ^ (std::uint64_t{1} << 63));
    }
    return static_cast<T>(static_cast<std::int64_t>(raw) + static_cast<std::int64_t>(place.zero));
  } else if constexpr (std::is_same_v<T, double>) {
    return place.zero + place.scale * static_cast<double>(raw);
  } else {
    return static_cast<T>(raw);
  }
}

template <class Raw, class T>
void decode_as(const FieldPlace& place, const std::byte* from, std::size_t n, Column& out,
               std::size_t at) {
  const std::span<T> to = out.values<T>().subspan(at, n);
  if (std::is_same_v<Raw, T> && place.scale == 1 && place.zero == 0) {
    copy_swapped(std::as_writable_bytes(to).data(), from, n, sizeof(T));
  } else {
    for (std::size_t i = 0; i < n; ++i) {
      to[i] = converted<Raw, T>(load_be<Raw>(from + i * sizeof(Raw)), place);
    }
  }
  if constexpr (std::is_integral_v<Raw>) {
    if (!place.null) return;
    for (std::size_t i = 0; i < n; ++i) {
      if (load_be<Raw>(from + i * sizeof(Raw)) == *place.null) out.set_null(at + i);
    }
  }
}

template <class Raw>
void decode_number(const FieldPlace& place, const std::byte* from, std::size_t n, Column& out,
                   std::size_t at) {
  switch (out.dtype()) {
    case DType::I16:
      return decode_as<Raw, std::int16_t>(place, from, n, out, at);
    case DType::I32:
      return decode_as<Raw, std::int32_t>(place, from, n, out, at);
    case DType::I64:
      return decode_as<Raw, std::int64_t>(place, from, n, out, at);
    case DType::F32:
      return decode_as<Raw, float>(place, from, n, out, at);
    default:
      return decode_as<Raw, double>(place, from, n, out, at);
  }
}

// In arrays astropy writes the numbers 0 and 1 instead of the letters F and T. Unless the header
// declares letters, only an array with letters can have nulls.
void decode_bools(const std::byte* from, std::size_t n, Column& out, std::size_t at,
                  bool may_be_numbers) {
  const auto to = out.values<bool>().subspan(at, n);
  for (std::size_t i = 0; i < n; ++i) {
    to[i] = from[i] == std::byte{'T'} || from[i] == std::byte{1} ? 1 : 0;
  }
  const auto is_letter = [](std::byte b) { return b == std::byte{'T'} || b == std::byte{'F'}; };
  if (may_be_numbers && std::none_of(from, from + n, is_letter)) return;
  for (std::size_t i = 0; i < n; ++i) {
    if (from[i] == std::byte{0}) out.set_null(at + i);
  }
}

// Decodes `n` numbers or flags into the existing values [at, at + n) of the column.
void decode(const FieldPlace& place, const std::byte* from, std::size_t n, Column& out,
            std::size_t at, bool is_array) {
  switch (place.code) {
    case 'L':
      return decode_bools(from, n, out, at, is_array && !place.letters);
    case 'B':
      return decode_number<std::uint8_t>(place, from, n, out, at);
    case 'I':
      return decode_number<std::int16_t>(place, from, n, out, at);
    case 'J':
      return decode_number<std::int32_t>(place, from, n, out, at);
    case 'K':
      return decode_number<std::int64_t>(place, from, n, out, at);
    case 'E':
      return decode_number<float>(place, from, n, out, at);
    default:
      return decode_number<double>(place, from, n, out, at);
  }
}

// Numbers of the rows to read: listed, or consecutive.
struct RowNumbers {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  std::span<const std::uint64_t> listed{};

  std::uint64_t operator[](std::uint64_t i) const { return listed.empty() ? first + i : listed[i]; }
};

}  // namespace

struct FitsTable::State {
  State(OpenedFile opened, std::string_view hdu)
      : file(std::move(opened)), layout(read_layout(file, hdu)) {}

  struct ArrayTask {
    std::size_t field;
    Cells* cells;
    std::vector<Descriptor> descriptors;  // one per row
    std::size_t done = 0;                 // values decoded so far
  };
  // The part of the heap that contains some arrays, and how much of it belongs to them.
  struct Extent {
    std::uint64_t begin = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t end = 0;
    std::uint64_t used = 0;
    std::uint64_t bytes() const { return end - begin; }
  };

  std::vector<Cells> read(const RowNumbers& numbers, std::span<const std::size_t> wanted);
  void read_rows(const RowNumbers& numbers);
  void fixed_cells(std::size_t field, std::uint64_t count, Cells& out) const;
  ArrayTask array_task(std::size_t field, const RowNumbers& numbers, Cells& out);
  void read_heap(std::uint64_t offset, std::uint64_t bytes);
  Extent extent_of(std::span<const ArrayTask> tasks, std::size_t first, std::size_t count) const;
  void arrays(std::span<ArrayTask> tasks, std::size_t first, std::size_t count);
  void decode_arrays(std::span<ArrayTask> tasks, std::size_t first, std::size_t count,
                     std::uint64_t heap_begin) const;
  void check_unsigned(std::size_t field, const RowNumbers& numbers, const Cells& cells) const;

  OpenedFile file;
  FitsLayout layout;
  std::vector<std::byte> rows;
  std::vector<std::byte> heap;
};

// Listed rows are read in the order of the file.
void FitsTable::State::read_rows(const RowNumbers& numbers) {
  rows.resize(numbers.count * layout.row_bytes);
  if (numbers.listed.empty()) {
    return file.read(layout.data_start + numbers.first * layout.row_bytes, rows);
  }
  std::vector<std::size_t> order(numbers.count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return numbers[i]; });
  for (const std::size_t i : order) {
    const auto to = std::span(rows).subspan(i * layout.row_bytes, layout.row_bytes);
    file.read(layout.data_start + numbers[i] * layout.row_bytes, to);
  }
}

void FitsTable::State::fixed_cells(std::size_t field, std::uint64_t count, Cells& out) const {
  const FieldPlace& place = layout.places[field];
  const std::size_t width = out.values.width();
  if (place.code != 'A') out.values.resize_unfilled(count);
  for (std::uint64_t row = 0; row < count; ++row) {
    const std::byte* from = rows.data() + row * layout.row_bytes + place.offset;
    if (place.code != 'A') {
      decode(place, from, width, out.values, row * width, false);
      continue;
    }
    for (std::size_t i = 0; i < width; ++i) {
      out.values.append_string(trimmed(from + i * place.element_bytes, place.element_bytes));
    }
  }
}

FitsTable::State::ArrayTask FitsTable::State::array_task(std::size_t field,
                                                         const RowNumbers& numbers, Cells& out) {
  ArrayTask task{field, &out, {}, 0};
  std::uint64_t total = 0;
  for (std::uint64_t row = 0; row < numbers.count; ++row) {
    const Descriptor d =
        array_of(file, layout, field, numbers[row], rows.data() + row * layout.row_bytes);
    out.lengths.push_back(d.length);
    total += d.length;
    task.descriptors.push_back(d);
  }
  // Rows may share bytes of the heap; a file that does so excessively is an attack on memory.
  const std::uint64_t bytes = total * layout.places[field].element_bytes;
  if (bytes > std::max(layout.heap_bytes, kMostShared)) {
    file.fail(fmt::format(
        "{} and the next {}: their arrays take {} bytes, but the heap has {}: the file is damaged",
        place_in(layout, field, numbers[0]), numbers.count - 1, bytes, layout.heap_bytes));
  }
  out.values.resize_unfilled(total);
  return task;
}

void FitsTable::State::read_heap(std::uint64_t offset, std::uint64_t bytes) {
  heap.resize(bytes);
  file.read(layout.data_start + layout.heap_start + offset, heap);
}

FitsTable::State::Extent FitsTable::State::extent_of(std::span<const ArrayTask> tasks,
                                                     std::size_t first, std::size_t count) const {
  Extent extent;
  for (const ArrayTask& task : tasks) {
    const std::size_t element_bytes = layout.places[task.field].element_bytes;
    for (const Descriptor& d : std::span(task.descriptors).subspan(first, count)) {
      if (d.length == 0) continue;
      const std::uint64_t bytes = d.length * element_bytes;
      extent.begin = std::min(extent.begin, d.offset);
      extent.end = std::max(extent.end, d.offset + bytes);
      extent.used += bytes;
    }
  }
  return extent;
}

// The arrays of rows [first, first + count), counted from the block's first: read in pieces of all
// columns if the arrays of a row are contiguous (files that we write), else of one column (as
// astropy writes them), else cell by cell.
void FitsTable::State::arrays(std::span<ArrayTask> tasks, std::size_t first, std::size_t count) {
  const Extent extent = extent_of(tasks, first, count);
  if (extent.used == 0) return;
  const bool together = extent.bytes() <= 2 * extent.used;
  if (together && (extent.bytes() <= kPiece || count == 1)) {
    read_heap(extent.begin, extent.bytes());
    decode_arrays(tasks, first, count, extent.begin);
  } else if (together || tasks.size() == 1) {
    const std::size_t step =
        together ? std::max<std::size_t>(1, count * kPiece / extent.bytes()) : 1;
    for (std::size_t row = first; row < first + count; row += step) {
      arrays(tasks, row, std::min(step, first + count - row));
    }
  } else {
    for (std::size_t i = 0; i < tasks.size(); ++i) arrays(tasks.subspan(i, 1), first, count);
  }
}

void FitsTable::State::decode_arrays(std::span<ArrayTask> tasks, std::size_t first,
                                     std::size_t count, std::uint64_t heap_begin) const {
  for (ArrayTask& task : tasks) {
    const FieldPlace& place = layout.places[task.field];
    for (const Descriptor& d : std::span(task.descriptors).subspan(first, count)) {
      if (d.length == 0) continue;
      decode(place, heap.data() + (d.offset - heap_begin), d.length, task.cells->values, task.done,
             true);
      task.done += d.length;
    }
  }
}

// Unsigned 64-bit numbers beyond the signed range have become negative.
void FitsTable::State::check_unsigned(std::size_t field, const RowNumbers& numbers,
                                      const Cells& cells) const {
  if (layout.places[field].zero != 0x1p63 || cells.values.dtype() != DType::I64) return;
  const auto values = cells.values.values<std::int64_t>();
  std::uint64_t row = 0;
  std::uint64_t left = 0;  // values of this row still to come
  const auto length = [&](std::uint64_t r) {
    return layout.fields[field].is_array ? cells.lengths[r] : cells.values.width();
  };
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (; left == 0; ++row) left = length(row);
    --left;
    if (values[i] >= 0 || cells.values.is_null(i)) continue;
    file.fail(fmt::format(
        "{}: {} is beyond the range of 64-bit signed integers; write "
        "the column as texts",
        place_in(layout, field, numbers[row - 1]), static_cast<std::uint64_t>(values[i])));
  }
}

FitsTable::FitsTable(const std::filesystem::path& file, std::string_view hdu)
    : FitsTable(OpenedFile(file), hdu) {}
FitsTable::FitsTable(OpenedFile file, std::string_view hdu)
    : state_(std::make_unique<State>(std::move(file), hdu)) {}
FitsTable::~FitsTable() = default;
FitsTable::FitsTable(FitsTable&&) noexcept = default;

std::uint64_t FitsTable::rows() const {
  return state_->layout.rows;
}

std::optional<TimeSystem> FitsTable::time_system() const {
  return state_->layout.time_system;
}

std::vector<OtherTable> FitsTable::others() const {
  return tables_behind(state_->file, state_->layout);
}

const std::string& FitsTable::extension() const {
  return state_->layout.extension;
}

const std::vector<FitsField>& FitsTable::fields() const {
  return state_->layout.fields;
}

std::optional<std::size_t> FitsTable::find(std::string_view column) const {
  for (std::size_t i = 0; i < fields().size(); ++i) {
    if (fields()[i].info.name == column) return i;
  }
  return std::nullopt;
}

std::optional<std::string> FitsTable::keyword(const std::string& name) const {
  const FitsCards& cards = *state_->layout.cards;
  if (!cards.has(name)) return std::nullopt;
  return cards.text(name);
}

std::vector<Cells> FitsTable::State::read(const RowNumbers& numbers,
                                          std::span<const std::size_t> wanted) {
  for (const std::size_t field : wanted) {
    const FitsField& f = layout.fields.at(field);
    if (!f.problem.empty()) file.fail(fmt::format("column '{}': {}", f.info.name, f.problem));
  }
  read_rows(numbers);
  std::vector<Cells> cells;
  cells.reserve(wanted.size());  // tasks point into it
  std::vector<ArrayTask> tasks;
  for (const std::size_t field : wanted) {
    Cells& out = cells.emplace_back(Cells{Column(layout.fields[field].info)});
    if (layout.fields[field].is_array) {
      tasks.push_back(array_task(field, numbers, out));
    } else {
      fixed_cells(field, numbers.count, out);
    }
  }
  arrays(tasks, 0, numbers.count);
  for (std::size_t i = 0; i < wanted.size(); ++i) check_unsigned(wanted[i], numbers, cells[i]);
  return cells;
}

std::vector<Cells> FitsTable::read(std::uint64_t first, std::uint64_t count,
                                   std::span<const std::size_t> fields) {
  if (first > rows() || count > rows() - first) {
    state_->file.fail(
        fmt::format("rows {} to {} asked for, but there are {}", first + 1, first + count, rows()));
  }
  return state_->read({first, count}, fields);
}

std::vector<Cells> FitsTable::read(std::span<const std::uint64_t> rows,
                                   std::span<const std::size_t> fields) {
  for (const std::uint64_t row : rows) {
    if (row < this->rows()) continue;
    state_->file.fail(fmt::format("row {} asked for, but there are {}", row + 1, this->rows()));
  }
  return state_->read({0, rows.size(), rows}, fields);
}

}  // namespace qsohost::inline io_v1
