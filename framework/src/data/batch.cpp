#include "qsohost/batch.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

Column& ColumnSet::add(ColumnInfo info) {
  return add(Column(std::move(info)));
}

Column& ColumnSet::add(Column column) {
  if (find(column.name()) != nullptr) {
    throw RunError(fmt::format("there is a column '{}' already; give the new one another name",
                               column.name()));
  }
  return columns_.emplace_back(std::move(column));
}

const Column* ColumnSet::find(std::string_view name) const {
  const auto it = std::find_if(columns_.begin(), columns_.end(),
                               [&](const Column& c) { return c.name() == name; });
  return it == columns_.end() ? nullptr : &*it;
}

Column* ColumnSet::find(std::string_view name) {
  return const_cast<Column*>(std::as_const(*this).find(name));
}

const Column& ColumnSet::at(std::string_view name) const {
  if (const Column* column = find(name)) return *column;
  std::vector<std::string> names;
  for (const Column& column : columns_) names.push_back(column.name());
  throw RunError(fmt::format("no column '{}'; there is {}", name,
                             names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
}

Column& ColumnSet::at(std::string_view name) {
  return const_cast<Column&>(std::as_const(*this).at(name));
}

void ColumnSet::drop(std::string_view name) {
  std::erase_if(columns_, [&](const Column& c) { return c.name() == name; });
}

std::size_t ColumnSet::bytes() const {
  std::size_t total = 0;
  for (const Column& column : columns_) total += column.bytes();
  return total;
}

Group::Group(GroupInfo info) : info_(std::move(info)) {}

void Group::close_row() {
  const std::size_t end = count() == 0 ? offsets_.back() : begin()->size();
  for (const Column& column : *this) {
    if (column.size() == end) continue;
    throw RunError(fmt::format(
        "group '{}': column '{}' has {} epochs where '{}' has {}; append as many to each", name(),
        column.name(), column.size(), begin()->name(), end));
  }
  offsets_.push_back(end);
}

void Group::roll_back() {
  for (Column& column : *this) column.resize(epochs());
}

void Group::append_rows(std::span<const std::uint64_t> lengths) {
  for (const std::uint64_t length : lengths) offsets_.push_back(offsets_.back() + length);
  for (Column& column : *this) column.resize(epochs());
}

void Group::keep_rows(std::span<const std::uint8_t> mask) {
  if (mask.size() != rows()) {
    throw RunError(fmt::format("group '{}' has {} rows, the mask {}; it must have as many", name(),
                               rows(), mask.size()));
  }
  std::vector<std::uint8_t> epoch_mask(epochs());
  std::vector<std::uint64_t> offsets{0};
  for (std::size_t row = 0; row < mask.size(); ++row) {
    if (mask[row] == 0) continue;
    const Slice s = slice(row);
    std::fill_n(epoch_mask.begin() + static_cast<std::ptrdiff_t>(s.first), s.count,
                std::uint8_t{1});
    offsets.push_back(offsets.back() + s.count);
  }
  for (Column& column : *this) column.keep(epoch_mask);
  offsets_ = std::move(offsets);
}

std::size_t Group::keep_epochs(std::span<const std::uint8_t> mask) {
  if (mask.size() != epochs()) {
    throw RunError(fmt::format("group '{}' has {} epochs, the mask {}; it must have as many",
                               name(), epochs(), mask.size()));
  }
  std::uint64_t kept = 0;
  std::size_t epoch = 0;
  std::size_t emptied = 0;
  for (std::size_t row = 0; row + 1 < offsets_.size(); ++row) {
    const bool had_epochs = epoch < offsets_[row + 1];
    for (; epoch < offsets_[row + 1]; ++epoch) kept += mask[epoch] != 0 ? 1 : 0;
    offsets_[row + 1] = kept;
    emptied += had_epochs && offsets_[row] == kept ? 1 : 0;
  }
  for (Column& column : *this) column.keep(mask);
  return emptied;
}

namespace {

// Counters that no batch uses at the moment. Never destroyed: a plugin may read one at any time.
struct IdleCounters {
  std::mutex mutex;
  std::vector<Liveness::Counter*> list;
};

IdleCounters& idle_counters() {
  static auto* counters = new IdleCounters;
  return *counters;
}

}  // namespace

Liveness::Liveness() {
  IdleCounters& idle = idle_counters();
  const std::lock_guard lock(idle.mutex);
  if (idle.list.empty()) idle.list.push_back(new Counter(0));
  counter_ = idle.list.back();
  idle.list.pop_back();
}

Liveness::~Liveness() {
  end_views();
  IdleCounters& idle = idle_counters();
  const std::lock_guard lock(idle.mutex);
  idle.list.push_back(counter_);
}

Liveness::Liveness(Liveness&& other) noexcept : Liveness() {
  other.end_views();
}

Liveness& Liveness::operator=(Liveness&& other) noexcept {
  end_views();
  other.end_views();
  return *this;
}

Batch::Batch(std::uint64_t ordinal, std::uint64_t first_object, std::size_t capacity)
    : ordinal_(ordinal), first_object_(first_object), capacity_(capacity) {}
Batch::Batch(Batch&&) noexcept = default;
Batch& Batch::operator=(Batch&&) noexcept = default;
Batch::~Batch() = default;

std::size_t Batch::rows() const {
  const Column* id = objects_.find("source_id");
  return id == nullptr ? 0 : id->size();
}

std::size_t Batch::bytes() const {
  std::size_t total = objects_.bytes();
  for (const Group& group : groups_) {
    total += group.bytes() + group.offsets().size() * sizeof(std::uint64_t);
  }
  return total;
}

std::string Batch::id(std::size_t row) const {
  const Column& column = objects_.at("source_id");
  if (column.dtype() == DType::String) return std::string(column.strings()[row]);
  return std::to_string(column.values<std::int64_t>()[row]);
}

Group& Batch::add_group(GroupInfo info) {
  if (find_group(info.name) != nullptr) {
    throw RunError(
        fmt::format("there is a group '{}' already; give the new one another name", info.name));
  }
  return groups_.emplace_back(std::move(info));
}

const Group* Batch::find_group(std::string_view name) const {
  const auto it = std::find_if(groups_.begin(), groups_.end(),
                               [&](const Group& g) { return g.name() == name; });
  return it == groups_.end() ? nullptr : &*it;
}

const Group& Batch::group(std::string_view name) const {
  if (const Group* group = find_group(name)) return *group;
  std::vector<std::string> names;
  for (const Group& group : groups_) names.push_back(group.name());
  throw RunError(fmt::format("no group '{}'; there is {}", name,
                             names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
}

Group& Batch::group(std::string_view name) {
  return const_cast<Group&>(std::as_const(*this).group(name));
}

void Batch::drop_group(std::string_view name) {
  std::erase_if(groups_, [&](const Group& g) { return g.name() == name; });
}

void Batch::keep_rows(std::span<const std::uint8_t> mask) {
  liveness_.end_views();
  for (Column& column : objects_) column.keep(mask);
  for (Group& group : groups_) group.keep_rows(mask);
}

void Batch::verify() const {
  const std::size_t n = rows();
  if (const Column* ids = objects_.find("source_id")) ids->require_width(1);
  for (const Column& column : objects_) {
    if (column.size() == n) continue;
    throw RunError(fmt::format("column '{}' has {} cells for {} objects; it must have one for each",
                               column.name(), column.size(), n));
  }
  for (const Group& group : groups_) {
    if (group.rows() != n) {
      throw RunError(fmt::format("group '{}' has {} rows for {} objects; it must have one for each",
                                 group.name(), group.rows(), n));
    }
    for (const Column& column : group) {
      if (column.size() == group.epochs()) continue;
      throw RunError(fmt::format(
          "group '{}': column '{}' has {} cells for {} epochs; it must have one for each",
          group.name(), column.name(), column.size(), group.epochs()));
    }
  }
}

}  // namespace qsohost::inline v1
