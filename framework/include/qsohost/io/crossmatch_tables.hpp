// For sources that cross-match tables in files: positions of rows, the choice among pairs, and
// their rows as batches, by the rules of crossmatch.hpp. How pairs are found is the source's own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "qsohost/api.hpp"
#include "qsohost/io/crossmatch.hpp"
#include "qsohost/io/input_table.hpp"

namespace qsohost::inline v1 {
class Batch;
}  // namespace qsohost::inline v1

namespace qsohost::inline io_v1 {

struct SkyPlace {
  double ra = 0;  // deg, [0, 360)
  double dec = 0;
  std::uint64_t row = 0;  // counted from 0
};

// For a position that is_on_sky().
QSOHOST_API SkyPlace place_of(double ra, double dec, std::uint64_t row);

// One of the two tables: its columns and its rows' positions.
class QSOHOST_API CrossmatchInput {
 public:
  struct Settings {
    std::string path;
    std::string hdu{};
    // Names of columns, and of the options that set them.
    std::string ra;
    std::string dec;
    std::string ra_option;
    std::string dec_option;
    std::string name{};  // for messages; empty: the path
    // Columns of texts that are flags: "true" and "false" in any case, or their first letter.
    std::vector<std::string> flags{};
    // As in CrossmatchTable.
    std::string id{};
    bool is_position_added = false;
  };
  // Throws RunError if the file has no such table, or lacks these columns.
  explicit CrossmatchInput(const Settings& settings);

  const std::string& name() const { return names_.name; }
  const CrossmatchTable& columns() const { return names_; }
  const InputTable& table() const { return table_; }
  // Type, unit and description of a column as read() returns it.
  ColumnInfo info(std::size_t column) const;
  std::size_t ra() const { return ra_; }  // position of the column
  std::size_t dec() const { return dec_; }

  // The rows listed, in the order listed, of these columns.
  std::vector<Column> read(std::span<const std::uint64_t> rows,
                           std::span<const std::size_t> columns);

  // Reads the table once, in blocks, and calls see() with the places of a block's rows that meet
  // the condition (as of option `where`; empty: all) and are on the sky. Uses the memory of one
  // block.
  void for_each_block(const std::string& where,
                      const std::function<void(std::span<const SkyPlace>)>& see);

  // Counted by for_each_block(); without it there are no numbers.
  const CrossmatchRows& rows() const { return rows_; }
  // The first row without a position, for messages.
  std::string first_off_sky() const;

 private:
  std::size_t find_position(const std::string& column, const std::string& option) const;
  bool is_flag(std::size_t column) const;

  InputTable table_;
  CrossmatchTable names_;
  std::size_t ra_;
  std::size_t dec_;
  std::vector<std::size_t> flags_;
  CrossmatchRows rows_;
  std::uint64_t first_off_sky_ = 0;
};

// Rows that match.
struct MatchPair {
  std::uint64_t left = 0;  // rows, counted from 0
  std::uint64_t right = 0;
  double separation = 0;       // arcsec
  std::uint32_t rank = 0;      // of the right row's identifier among all matches
  std::int32_t n_matches = 0;  // right rows within the radius of the left row
};

// The right rows of the pairs, ascending, each once; sorts the pairs by them.
QSOHOST_API std::vector<std::uint64_t> right_rows(std::vector<MatchPair>& pairs);

// Sets each pair's rank of its right row: `ranks` in the order of right_rows().
QSOHOST_API void set_ranks(std::vector<MatchPair>& pairs, std::span<const std::uint32_t> ranks);

// Counts each left row's matches, selects by the rules in crossmatch.hpp and sorts the rest in
// their order.
QSOHOST_API CrossmatchPairs choose_pairs(std::vector<MatchPair>& pairs, PairsKept match,
                                         RepeatsKept unique);

// The two tables and their pairs.
class QSOHOST_API CrossmatchTables {
 public:
  // Throws RunError for columns that are missing or cannot be taken. Warns of those left out.
  // `options` outlives it.
  CrossmatchTables(CrossmatchInput left, CrossmatchInput right, const CrossmatchOptions& options,
                   Context& context);

  CrossmatchInput& left() { return left_; }
  CrossmatchInput& right() { return right_; }

  // Of which MatchPair's first three members are set. Throws RunError if a matched right row has no
  // identifier.
  void set_pairs(std::vector<MatchPair> pairs, Context& context);

  // For the functions of the same names of the Source.
  void declare(Ports& ports) const;
  std::uint64_t size() const { return pairs_.size(); }
  std::uint64_t seek(std::uint64_t first);
  bool read(Batch& batch);
  Counts counts() const;

 private:
  ColumnInfo info_of(const CrossmatchColumn& column) const;
  bool is_named(const CrossmatchColumn& column) const;
  void leave_out_unreadable(Context& context);
  std::vector<Column> gather(CrossmatchInput& input, bool is_right,
                             std::span<const MatchPair> pairs) const;

  CrossmatchInput left_;
  CrossmatchInput right_;
  const CrossmatchOptions* options_;
  std::size_t id_;  // column of the right table
  CrossmatchLayout layout_;
  std::vector<MatchPair> pairs_;
  CrossmatchPairs found_;
  std::size_t next_ = 0;
};

// The ports of such a source while it is not open: more are known then.
QSOHOST_API void declare_crossmatch(Ports& ports);

}  // namespace qsohost::inline io_v1
