#include "qsohost/io/grouped_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <span>
#include <utility>

#include "qsohost/error.hpp"
#include "qsohost/io/identifiers.hpp"
#include "table/object_numbers.hpp"
#include "table/row_buckets.hpp"

namespace qsohost::inline io_v1 {

namespace {

constexpr std::uint64_t kSampleRows = 1024;

void stop_if_wanted(const Context& context) {
  if (context.stop_requested()) throw TryAgain("stopped while rows were sorted by object");
}

// The rows of each object; whether those of every object stand together.
bool count_rows(InputTable& table, std::size_t id, Context& context, ObjectNumbers& numbers,
                std::vector<std::uint64_t>& counts) {
  bool are_together = true;
  std::uint64_t last = 0;
  for_each_id(table, id, [&](const Column& ids, std::uint64_t) {
    stop_if_wanted(context);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const std::uint64_t number = numbers.number_of(ids, i);
      if (number == counts.size()) {
        counts.push_back(0);
      } else if (number != last) {
        are_together = false;
      }
      ++counts[number];
      last = number;
    }
  });
  return are_together;
}

std::vector<std::uint64_t> starts_of(const std::vector<std::uint64_t>& counts) {
  std::vector<std::uint64_t> starts(counts.size() + 1, 0);
  std::partial_sum(counts.begin(), counts.end(), starts.begin() + 1);
  return starts;
}

// In the temporary file, with the two numbers that are stored with each row.
std::size_t bytes_of_row(InputTable& table, std::span<const std::size_t> columns) {
  const std::uint64_t rows = std::min(kSampleRows, table.rows());
  std::size_t bytes = 0;
  for (const Cells& cells : table.read(0, rows, columns)) bytes += cells.values.bytes();
  return bytes / rows + 2 * sizeof(std::int64_t);
}

std::unique_ptr<RowBuckets> sort(InputTable& table, std::size_t id,
                                 const std::vector<std::size_t>& columns,
                                 std::span<const std::uint64_t> starts, ObjectNumbers& numbers,
                                 Context& context, std::size_t bucket_bytes) {
  const std::size_t row_bytes = bytes_of_row(table, columns);
  context.info(fmt::format(
      "{}: the rows of an object do not stand together, so {} rows ({} MB) are sorted in a "
      "temporary file in {}",
      table.name(), table.rows(), table.rows() * row_bytes / 1'000'000,
      std::filesystem::temp_directory_path().string()));
  auto sorted = std::make_unique<RowBuckets>(table, columns, starts, row_bytes, bucket_bytes);
  std::vector<std::size_t> wanted = columns;
  wanted.push_back(id);
  const std::uint64_t step = std::max<std::uint64_t>(1, bucket_bytes / row_bytes);
  for (std::uint64_t first = 0; first < table.rows(); first += step) {
    stop_if_wanted(context);
    auto cells = table.read(first, std::min(step, table.rows() - first), wanted);
    const Column ids = id_column(cells.back().values);
    cells.pop_back();
    std::vector<std::uint64_t> objects;
    for (std::size_t i = 0; i < ids.size(); ++i) objects.push_back(numbers.number_of(ids, i));
    sorted->add(std::move(cells), objects, first);
  }
  return sorted;
}

}  // namespace

GroupedRows::GroupedRows(InputTable& table, std::size_t id, std::vector<std::size_t> columns,
                         Context& context, std::size_t bucket_bytes)
    : table_(table),
      columns_(std::move(columns)),
      ids_(id_column(Column(table.columns()[id].info))) {
  ObjectNumbers numbers(ids_);
  std::vector<std::uint64_t> counts;
  const bool are_together = count_rows(table, id, context, numbers, counts);
  starts_ = starts_of(counts);
  if (!are_together) {
    sorted_ = sort(table, id, columns_, starts_, numbers, context, bucket_bytes);
  }
  ids_ = numbers.ids();
}

GroupedRows::~GroupedRows() = default;

Column GroupedRows::ids(std::uint64_t first, std::uint64_t count) const {
  Column out(ids_.info());
  out.append_cells(ids_, first, count);
  return out;
}

ObjectRows GroupedRows::read(std::uint64_t first, std::uint64_t count) {
  ObjectRows out;
  for (std::uint64_t i = first; i < first + count; ++i) {
    out.counts.push_back(starts_[i + 1] - starts_[i]);
  }
  if (sorted_) {
    sorted_->read(first, count, out);
    return out;
  }
  out.numbers.resize(starts_[first + count] - starts_[first]);
  std::iota(out.numbers.begin(), out.numbers.end(), starts_[first]);
  out.columns = table_.read(starts_[first], out.numbers.size(), columns_);
  return out;
}

}  // namespace qsohost::inline io_v1
