// A batch: some hundred quasars with everything the chain has gathered about them.
//
// Row i is the same quasar in every column and every group. A group ("ztf.r", "gaia.g") holds the
// epochs of one survey and band: flat columns that share `offsets` (rows() + 1 entries), so the
// epochs of row i are [offsets[i], offsets[i + 1]). That is the layout of FITS variable-length
// arrays and of Arrow lists. Epochs keep the order in which they were fetched.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "qsohost/column.hpp"
#include "qsohost/time_system.hpp"

namespace qsohost::inline v1 {

// Columns of one length, in the order in which they were added.
class QSOHOST_API ColumnSet {
 public:
  Column& add(ColumnInfo info);  // throws RunError if the name is taken
  Column& add(Column column);
  const Column* find(std::string_view name) const;
  Column* find(std::string_view name);
  const Column& at(std::string_view name) const;  // throws RunError that lists the names
  Column& at(std::string_view name);
  // Views and references of the other columns may end, too.
  void drop(std::string_view name);

  std::size_t count() const { return columns_.size(); }
  std::size_t bytes() const;
  auto begin() const { return columns_.begin(); }
  auto end() const { return columns_.end(); }
  auto begin() { return columns_.begin(); }
  auto end() { return columns_.end(); }

 private:
  std::deque<Column> columns_;  // a deque: references stay valid when columns are added
};

// What a group is: whose epochs, and which of its columns play the roles of a light curve.
struct GroupInfo {
  std::string name{};     // "ztf.g"
  std::string survey{};   // "ztf"; "" for a table of results
  std::string band{};     // "g"
  std::string time{};     // name of the time column, e.g. "mjd"
  std::string mag{};      // e.g. "mag"
  std::string mag_err{};  // e.g. "magerr"
  TimeSystem time_system{};
  // Whether the product of its survey holds ra and dec of the objects, if they exist.
  bool has_position = true;
};

struct Slice {
  std::size_t first = 0;
  std::size_t count = 0;
};

class QSOHOST_API Group : public ColumnSet {
 public:
  explicit Group(GroupInfo info);

  const GroupInfo& info() const { return info_; }
  const std::string& name() const { return info_.name; }
  void set_time_system(const TimeSystem& system) { info_.time_system = system; }  // by the host
  std::size_t rows() const { return offsets_.size() - 1; }
  std::size_t epochs() const { return offsets_.back(); }
  std::span<const std::uint64_t> offsets() const { return offsets_; }
  Slice slice(std::size_t row) const { return {offsets_[row], offsets_[row + 1] - offsets_[row]}; }

  // Ends a row: it holds what was appended to the columns since the last call. Throws RunError when
  // the columns have different lengths.
  void close_row();
  // Discards what was appended since the last close_row().
  void roll_back();
  // Adds a row for each of `lengths`, growing every column (values as Column::resize).
  void append_rows(std::span<const std::uint64_t> lengths);

  void keep_rows(std::span<const std::uint8_t> mask);  // one entry a row
  // One entry an epoch. Returns how many rows had epochs and are left with none.
  std::size_t keep_epochs(std::span<const std::uint8_t> mask);

 private:
  GroupInfo info_;
  std::vector<std::uint64_t> offsets_{0};
};

// Lets views of a batch notice that it is gone. The counter it points to belongs to the host and is
// never freed, so reading it is always safe, even after the batch is destroyed.
class QSOHOST_API Liveness {
 public:
  using Counter = std::atomic<std::uint64_t>;
  Liveness();
  ~Liveness();
  // Moving a batch ends the views of the old one.
  Liveness(Liveness&& other) noexcept;
  Liveness& operator=(Liveness&& other) noexcept;

  const Counter& counter() const { return *counter_; }
  void end_views() { ++*counter_; }

 private:
  Counter* counter_;
};

class QSOHOST_API Batch {
 public:
  // `ordinal` counts the batches of a run from 0; a Source fills up to `capacity` rows.
  Batch(std::uint64_t ordinal, std::uint64_t first_object, std::size_t capacity);
  Batch(Batch&&) noexcept;
  Batch& operator=(Batch&&) noexcept;
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  ~Batch();

  std::uint64_t ordinal() const { return ordinal_; }
  std::uint64_t first_object() const { return first_object_; }  // counted in the source's order
  std::size_t capacity() const { return capacity_; }
  std::size_t rows() const;  // as many as "source_id" has cells
  std::size_t bytes() const;

  // One value per object. Every batch has "source_id" (i64 or string).
  ColumnSet& objects() { return objects_; }
  const ColumnSet& objects() const { return objects_; }
  std::string id(std::size_t row) const;  // source_id as text

  Group& add_group(GroupInfo info);  // throws RunError if the name is taken
  const Group* find_group(std::string_view name) const;
  Group& group(std::string_view name);  // throws RunError that lists the names
  const Group& group(std::string_view name) const;
  const std::deque<Group>& groups() const { return groups_; }
  std::deque<Group>& groups() { return groups_; }
  void drop_group(std::string_view name);

  // Removes rows (one entry a row, 0 = removed) from the objects and from every group alike.
  // Existing Objects are invalid then: row i may be another quasar.
  void keep_rows(std::span<const std::uint8_t> mask);

  // Throws RunError when a column or group does not have one entry for every row.
  void verify() const;

  const Liveness& liveness() const { return liveness_; }

 private:
  std::uint64_t ordinal_;
  std::uint64_t first_object_;
  std::size_t capacity_;
  ColumnSet objects_;
  std::deque<Group> groups_;
  Liveness liveness_;
};

}  // namespace qsohost::inline v1
