// One of the two tables: its columns and its rows' positions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <qsohost/io/crossmatch.hpp>
#include <qsohost/io/input_table.hpp>

#include "condition.hpp"
#include "zones.hpp"

namespace crossmatch {

class Input {
 public:
  // Names of columns, and of the options that set them.
  struct PositionNames {
    std::string ra;
    std::string dec;
    std::string ra_option;
    std::string dec_option;
  };
  // Throws RunError if the file has no such table, or lacks these columns.
  Input(const std::string& path, const std::string& hdu, const PositionNames& names);

  const std::string& name() const { return columns_.name; }
  const qsohost::CrossmatchTable& columns() const { return columns_; }
  qsohost::InputTable& table() { return table_; }
  const qsohost::InputTable& table() const { return table_; }
  std::size_t ra() const { return ra_; }  // position of the column
  std::size_t dec() const { return dec_; }

  // Reads the table once, in blocks, and calls see() with the places of a block's rows that meet
  // the condition and are on the sky. Uses the memory of one block.
  void for_each_block(const Condition* condition,
                      const std::function<void(std::span<const Place>)>& see);

  std::uint64_t taken() const { return taken_; }      // rows that met the condition
  std::uint64_t off_sky() const { return off_sky_; }  // of these, those without a position
  std::uint64_t first_off_sky() const { return first_off_sky_; }
  std::uint64_t wrapped() const { return wrapped_; }  // with RA outside [0, 360)

 private:
  std::size_t find_position(const std::string& column, const std::string& option) const;
  void add_rows(std::uint64_t first, std::uint64_t count, const Condition* condition,
                std::vector<Place>& places);

  qsohost::InputTable table_;
  qsohost::CrossmatchTable columns_;
  std::size_t ra_;
  std::size_t dec_;
  std::uint64_t taken_ = 0;
  std::uint64_t off_sky_ = 0;
  std::uint64_t first_off_sky_ = 0;
  std::uint64_t wrapped_ = 0;
};

// The identifiers of these rows (source_id as in batches). Throws RunError if one is missing.
qsohost::Column ids_of(Input& input, std::size_t field, std::span<const std::uint64_t> rows);

// Ranks of identifiers, from 0: integers by value, texts by bytes; equal ones have equal ranks.
std::vector<std::uint32_t> ranks_of(const qsohost::Column& ids);

}  // namespace crossmatch
