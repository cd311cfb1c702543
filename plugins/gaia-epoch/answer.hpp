// Rows of epoch_photometry as an archive returns them, and their conversion to epochs of a batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <qsohost/batch.hpp>
#include <qsohost/stage.hpp>

#include "table_columns.hpp"

namespace gaia {

// A column of several rows: one value a row (`offsets` empty), or arrays, that of row r being
// [offsets[r], offsets[r + 1]) of the values.
struct Cells {
  // `lengths`: of the arrays, one a row; empty for one value a row.
  Cells(qsohost::Column from, std::span<const std::uint64_t> lengths);

  qsohost::Column values;
  std::vector<std::uint64_t> offsets;

  std::uint64_t first(std::size_t row) const { return offsets.empty() ? row : offsets[row]; }
  std::uint64_t count(std::size_t row) const {
    return offsets.empty() ? 1 : offsets[row + 1] - offsets[row];
  }
};

// Rows with one column for each wanted one, in that order, of types that can be converted to theirs
// (see match_columns).
struct Block {
  std::vector<std::int64_t> ids;
  std::vector<Cells> cells;
};

// What to do with several rows of one source, and with transits that are there more than once.
// Drop: one light curve with every transit once; Keep: one with all epochs; Error: a source of
// several rows is a bad object.
enum class Duplicates : std::uint8_t { Drop, Keep, Error };

// What an archive has of the sources of a batch.
struct LookUp {
  std::vector<Block> blocks;
  // Of sources of which there are no rows, where the archive knows more than that.
  std::unordered_map<std::int64_t, qsohost::Ending> endings{};
};

// The batch whose sources are looked up.
struct BatchInfo {
  std::uint64_t ordinal;
  qsohost::Counts& counts;
};

// Source of the rows. Throws TryAgain if there is no reliable response now, RunError if there will
// never be one. `ids` are ascending and unique; rows come in any order.
class Archive {
 public:
  virtual ~Archive() = default;
  virtual LookUp look_up(std::span<const std::int64_t> ids, const BatchInfo& batch) = 0;
};

// Appends the epochs of single objects to the groups of a batch.
class EpochWriter {
 public:
  EpochWriter(const std::vector<Wanted>& wanted, std::span<const Block> blocks,
              qsohost::Batch& batch);

  // Throws NotFound if there is no row of that source, BadObject if its arrays cannot be a light
  // curve; the caller must undo what was appended until then. A band of a row that lacks one of its
  // arrays has no epochs. Adds to `counts`.
  void write(std::int64_t source_id, std::size_t object, Duplicates duplicates,
             qsohost::Counts& counts);
  // Sets the object's values to null, as nothing was written for it.
  void set_no_row(std::size_t object);

 private:
  struct Row {
    const Block* block;
    std::size_t row;
  };
  // Some epochs of a row, counted in it.
  struct Piece {
    Row row;
    std::uint64_t first;
    std::uint64_t count;
  };
  struct Band {
    qsohost::Group* group;
    std::vector<std::size_t> columns;  // of the wanted ones
  };

  using Conflicts = std::set<std::pair<std::size_t, std::uint64_t>>;  // row, epoch
  static std::size_t missing_arrays(const Band& band, const Row& row);
  static std::uint64_t length_of(const Band& band, const Row& row);
  std::span<const std::int64_t> transits(const Row& row) const;
  bool is_transit_known(const Row& row, std::uint64_t epoch) const;
  void check_lengths(const Row& row) const;
  static bool are_equal(const Band& band, const Row& a, std::uint64_t i, const Row& b,
                        std::uint64_t k);
  std::vector<Row> in_order(std::vector<Row> rows) const;
  std::size_t count_transits(std::span<const Row> rows) const;
  std::size_t count_repeats(std::span<const Row> rows) const;
  std::vector<Piece> every_transit_once(const Band& band, std::span<const Row> rows,
                                        Conflicts& conflicting) const;
  std::size_t write_once(std::span<const Row> rows, std::size_t repeats, qsohost::Counts& counts);
  void append(const Band& band, const Piece& piece);
  void count_missing(std::span<const Row> rows, qsohost::Counts& counts) const;
  static void finish(qsohost::Group& group);
  void set_object_columns(const Row& row, std::optional<std::size_t> transits, std::size_t object);

  const std::vector<Wanted>& wanted_;
  std::unordered_map<std::int64_t, std::vector<Row>> rows_;
  std::vector<qsohost::Column*> targets_;  // of the wanted ones; nullptr: not stored
  std::vector<Band> bands_;
};

}  // namespace gaia
