// Identifiers of objects in FITS tables.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <qsohost/error.hpp>
#include <qsohost/fits.hpp>

namespace curves {

// Position of the column; throws ChainError unless it is there and holds integers or texts, one a
// row.
std::size_t find_id(const qsohost::FitsTable& table, const std::string& file,
                    const std::string& name);

// source_id as batches have it: i64 or string.
qsohost::Column id_column(const qsohost::Column& read);

std::string id_text(const qsohost::Column& ids, std::size_t i);

// Calls `see(ids, first)` for blocks of rows, `ids` as id_column gives it, `first` counted from 0.
// Throws ChainError where an identifier is missing.
void for_each_id(qsohost::FitsTable& table, const std::string& file, std::size_t id,
                 const std::function<void(const qsohost::Column&, std::uint64_t)>& see);

// Finds rows by identifier: 16 bytes a row. Integers stand for themselves, texts for a hash, so who
// looks up a text has to compare it with what is in the row.
class IdIndex {
 public:
  // Throws ChainError if an identifier is there twice, naming both rows.
  IdIndex(qsohost::FitsTable& table, const std::string& file, std::size_t id);

  static constexpr std::uint64_t kNone = ~std::uint64_t{0};
  std::uint64_t row_of(const qsohost::Column& ids, std::size_t i) const;

 private:
  std::vector<std::pair<std::int64_t, std::uint64_t>> rows_;  // key, row; sorted
};

}  // namespace curves
