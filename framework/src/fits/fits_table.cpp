// Reading: rows come as raw bytes in one piece, arrays as pieces of the heap that stay in the cache
// during decoding.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "fits/fits_bytes.hpp"
#include "fits/fits_decode.hpp"
#include "fits/fits_form.hpp"
#include "fits/fits_hdus.hpp"
#include "fits/fits_layout.hpp"
#include "qsohost/error.hpp"
#include "qsohost/io/fits.hpp"

namespace qsohost::inline io_v1 {

namespace {

constexpr std::uint64_t kMostShared = std::uint64_t{64} << 20;  // bytes
constexpr std::uint64_t kHeapPiece = std::uint64_t{256} << 10;  // bytes of a heap read at once
constexpr std::uint64_t kMostScanned = 1024;                    // rows at once
constexpr std::size_t kDigitsOfI64 = 18;                        // that always fit

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
      : file(std::move(opened)), layout(read_layout(file, hdu)) {
    keep_digits();
  }

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

  void keep_digits();
  bool exceeds_i64(std::size_t field);
  bool exceeds_i64(std::size_t field, const RowNumbers& numbers);
  std::vector<Cells> read(const RowNumbers& numbers, std::span<const std::size_t> wanted);
  void read_rows(const RowNumbers& numbers);
  const std::byte* row_at(std::uint64_t row) const { return rows.data() + row * layout.row_bytes; }
  void fixed_cells(std::size_t field, const RowNumbers& numbers, Cells& out) const;
  void text_numbers(std::size_t field, const RowNumbers& numbers, Cells& out) const;
  ArrayTask array_task(std::size_t field, const RowNumbers& numbers, Cells& out);
  void read_heap(std::uint64_t offset, std::uint64_t bytes);
  Extent extent_of(std::span<const ArrayTask> tasks, std::size_t first, std::size_t count) const;
  void arrays(std::span<ArrayTask> tasks, std::size_t first, std::size_t count);
  void decode_arrays(std::span<ArrayTask> tasks, std::size_t first, std::size_t count,
                     std::uint64_t heap_begin) const;

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

void FitsTable::State::fixed_cells(std::size_t field, const RowNumbers& numbers, Cells& out) const {
  if (numbers.count == 0) return;
  const FieldPlace& place = layout.places[field];
  const StoredCells cells{rows.data() + place.offset, out.values.width(), numbers.count,
                          layout.row_bytes};
  if (out.values.dtype() == DType::String) return append_texts(place, cells, out.values);
  if (place.is_text) return text_numbers(field, numbers, out);
  out.values.resize_unfilled(numbers.count);
  decode(place, cells, out.values, 0, false);
}

void FitsTable::State::text_numbers(std::size_t field, const RowNumbers& numbers,
                                    Cells& out) const {
  const FieldPlace& place = layout.places[field];
  out.values.resize_unfilled(numbers.count);
  for (std::uint64_t row = 0; row < numbers.count; ++row) {
    const std::byte* from = row_at(row) + place.offset;
    if (decode_text_number(place, from, out.values, row)) continue;
    file.fail(fmt::format("{}: '{}' is no {}; correct the cell",
                          place_in(layout, field, numbers[row]), cell_text(place, from),
                          place.code == 'I' ? "integer" : "number"));
  }
}

FitsTable::State::ArrayTask FitsTable::State::array_task(std::size_t field,
                                                         const RowNumbers& numbers, Cells& out) {
  ArrayTask task{field, &out, {}, 0};
  std::uint64_t total = 0;
  for (std::uint64_t row = 0; row < numbers.count; ++row) {
    const Descriptor d = array_of(file, layout, field, numbers[row], row_at(row));
    out.lengths.push_back(d.length);
    total += d.length;
    task.descriptors.push_back(d);
  }
  // Rows may share bytes of the heap; a file that does so excessively is an attack on memory.
  const std::uint64_t bytes = total * layout.places[field].element_bytes;
  if (bytes > std::max(layout.heap_bytes, kMostShared)) {
    file.fail(fmt::format(
        "{} and the next {}: their arrays take {} bytes, but the heap has {}: the file is damaged; "
        "get it again",
        place_in(layout, field, numbers[0]), numbers.count - 1, bytes, layout.heap_bytes));
  }
  if (out.values.dtype() != DType::String) out.values.resize_unfilled(total);
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
  if (together && (extent.bytes() <= kHeapPiece || count == 1)) {
    read_heap(extent.begin, extent.bytes());
    decode_arrays(tasks, first, count, extent.begin);
  } else if (together || tasks.size() == 1) {
    const std::size_t step =
        together ? std::max<std::size_t>(1, count * kHeapPiece / extent.bytes()) : 1;
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
      const std::byte* from = heap.data() + (d.offset - heap_begin);
      Column& out = task.cells->values;
      if (out.dtype() == DType::String) {
        append_texts(place, {from, d.length}, out);
      } else {
        decode(place, {from, d.length}, out, task.done, true);
      }
      task.done += d.length;
    }
  }
}

// Integers beyond i64 keep all digits as texts. Only columns that may have some are searched.
void FitsTable::State::keep_digits() {
  for (std::size_t i = 0; i < layout.fields.size(); ++i) {
    FitsField& field = layout.fields[i];
    const FieldPlace& place = layout.places[i];
    const bool may_exceed = place.is_text ? place.bytes > kDigitsOfI64 : place.zero == kUnsigned64;
    if (!may_exceed || field.info.dtype != DType::I64 || !field.problem.empty()) continue;
    if (exceeds_i64(i)) field.info.dtype = DType::String;
  }
}

bool FitsTable::State::exceeds_i64(std::size_t field) {
  const std::uint64_t block =
      std::clamp<std::uint64_t>(kHeapPiece / layout.row_bytes, 1, kMostScanned);
  for (std::uint64_t first = 0; first < layout.rows; first += block) {
    if (exceeds_i64(field, {first, std::min(block, layout.rows - first)})) return true;
  }
  return false;
}

bool FitsTable::State::exceeds_i64(std::size_t field, const RowNumbers& numbers) {
  const FieldPlace& place = layout.places[field];
  if (place.is_text) {
    read_rows(numbers);
    for (std::uint64_t row = 0; row < numbers.count; ++row) {
      if (is_beyond_i64(place, row_at(row) + place.offset)) return true;
    }
    return false;
  }
  const std::vector<Cells> cells = read(numbers, std::span(&field, 1));
  const Column& column = cells[0].values;
  const auto values = column.values<std::int64_t>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] < 0 && !column.is_null(i)) return true;  // wrapped around
  }
  return false;
}

FitsTable::FitsTable(const std::filesystem::path& file, std::string_view hdu)
    : FitsTable(OpenedFile(file, require_fits), hdu) {}
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
  return tables_besides(state_->file, state_->layout.hdu);
}

bool FitsTable::is_text() const {
  return is_text_table(*state_->layout.cards);
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
      fixed_cells(field, numbers, out);
    }
  }
  arrays(tasks, 0, numbers.count);
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
