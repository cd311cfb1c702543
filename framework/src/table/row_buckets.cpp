#include "table/row_buckets.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace qsohost::inline io_v1 {

namespace {

// The columns of the table, then the two by which rows are ordered.
std::vector<ColumnInfo> spooled_columns(const InputTable& table,
                                        std::span<const std::size_t> columns) {
  std::vector<ColumnInfo> infos;
  for (const std::size_t i : columns) infos.push_back(table.columns()[i].info);
  infos.push_back({"object", DType::I64, "", ""});
  infos.push_back({"row", DType::I64, "", ""});
  return infos;
}

Cells integers(const ColumnInfo& info, std::size_t count) {
  Cells cells{Column(info)};
  cells.values.resize_unfilled(count);
  return cells;
}

// Consecutive rows of one object in a block.
struct Run {
  std::int64_t object;
  std::size_t block;
  std::size_t first;
  std::size_t count;
};

std::vector<Run> runs_of(const std::vector<std::vector<Cells>>& blocks, std::size_t key) {
  std::vector<Run> runs;
  for (std::size_t block = 0; block < blocks.size(); ++block) {
    const auto objects = blocks[block][key].values.values<std::int64_t>();
    for (std::size_t i = 0, end = 0; i < objects.size(); i = end) {
      while (end < objects.size() && objects[end] == objects[i]) ++end;
      runs.push_back({objects[i], block, i, end - i});
    }
  }
  return runs;
}

}  // namespace

RowBuckets::RowBuckets(const InputTable& table, std::span<const std::size_t> columns,
                       std::span<const std::uint64_t> starts, std::size_t row_bytes,
                       std::size_t bucket_bytes)
    : infos_(spooled_columns(table, columns)), starts_(starts), spool_(infos_, table.name()) {
  const std::uint64_t rows = std::max<std::size_t>(1, bucket_bytes / row_bytes);
  for (std::uint64_t object = 0; object + 1 < starts.size(); ++object) {
    const bool fits =
        !buckets_.empty() && starts[object + 1] - starts[buckets_.back().first] <= rows;
    if (!fits) buckets_.push_back({object});
  }
}

std::size_t RowBuckets::bucket_of(std::uint64_t object) const {
  const auto next = std::ranges::upper_bound(buckets_, object, {}, &Bucket::first);
  return static_cast<std::size_t>(next - buckets_.begin()) - 1;
}

std::vector<Cells> RowBuckets::empty_cells() const {
  std::vector<Cells> out;
  for (const ColumnInfo& info : infos_) out.push_back({Column(info)});
  return out;
}

void RowBuckets::add(std::vector<Cells> columns, const std::vector<std::uint64_t>& objects,
                     std::uint64_t first_row) {
  const std::size_t count = objects.size();
  Cells& object = columns.emplace_back(integers(infos_[infos_.size() - 2], count));
  std::ranges::copy(objects, object.values.values<std::int64_t>().begin());
  const auto numbers =
      columns.emplace_back(integers(infos_.back(), count)).values.values<std::int64_t>();
  std::iota(numbers.begin(), numbers.end(), static_cast<std::int64_t>(first_row));

  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return objects[i]; });
  for (std::size_t i = 0; i < count;) {
    const std::size_t bucket = bucket_of(objects[order[i]]);
    const bool is_last = bucket + 1 == buckets_.size();
    std::vector<Cells> block = empty_cells();
    for (; i < count && (is_last || objects[order[i]] < buckets_[bucket + 1].first); ++i) {
      for (std::size_t c = 0; c < block.size(); ++c) {
        block[c].values.append_cells(columns[c].values, order[i], 1);
      }
    }
    buckets_[bucket].blocks.push_back(spool_.blocks());
    spool_.append(block);
  }
}

void RowBuckets::load(std::size_t bucket) {
  if (loaded_ && loaded_->bucket == bucket) return;
  loaded_.reset();
  std::vector<std::size_t> all(infos_.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  std::vector<std::vector<Cells>> blocks;
  for (const std::uint64_t block : buckets_[bucket].blocks)
    blocks.push_back(spool_.read(block, all));
  std::vector<Run> runs = runs_of(blocks, infos_.size() - 2);
  // Stable: an object's rows are in the order of the table.
  std::ranges::stable_sort(runs, {}, &Run::object);
  Loaded loaded{bucket, empty_cells()};
  for (std::size_t c = 0; c < infos_.size(); ++c) {
    for (const Run& run : runs) {
      loaded.columns[c].values.append_cells(blocks[run.block][c].values, run.first, run.count);
    }
  }
  loaded_ = std::move(loaded);
}

void RowBuckets::read(std::uint64_t first, std::uint64_t count, ObjectRows& to) {
  to.columns = empty_cells();
  for (const std::uint64_t end = first + count; first < end;) {
    const std::size_t bucket = bucket_of(first);
    load(bucket);
    const bool is_last = bucket + 1 == buckets_.size();
    const std::uint64_t part = is_last ? end : std::min(end, buckets_[bucket + 1].first);
    const std::uint64_t begin = starts_[first] - starts_[buckets_[bucket].first];
    for (std::size_t c = 0; c < infos_.size(); ++c) {
      to.columns[c].values.append_cells(loaded_->columns[c].values, begin,
                                        starts_[part] - starts_[first]);
    }
    first = part;
  }
  const auto numbers = std::as_const(to.columns.back().values).values<std::int64_t>();
  to.numbers.assign(numbers.begin(), numbers.end());
  to.columns.erase(to.columns.end() - 2, to.columns.end());
}

}  // namespace qsohost::inline io_v1
