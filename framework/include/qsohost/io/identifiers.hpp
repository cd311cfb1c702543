// Identifiers of objects, by the same rules wherever a table is read: 64-bit integers or texts, one
// a row, none missing and none repeated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "qsohost/api.hpp"
#include "qsohost/column.hpp"
#include "qsohost/io/input_table.hpp"

namespace qsohost::inline io_v1 {

// Throws RunError, which names file, column and option, unless the column holds integers or
// texts, one a row. (A floating-point number does not hold all digits of a 64-bit identifier.)
QSOHOST_API void check_id_type(const InputColumn& column, std::string_view file,
                               std::string_view option = "id");

// The column "source_id" as in batches, i64 or string, from one that passed check_id_type.
QSOHOST_API Column id_column(const Column& read);

QSOHOST_API std::string id_text(const Column& ids, std::size_t i);
QSOHOST_API bool id_is_missing(const Column& ids, std::size_t i);  // null or ""

// Finds rows by identifier: 16 bytes a row. The key of an integer is itself, that of a text a
// 64-bit hash, so callers that look up a text must compare it with the row's.
class QSOHOST_API IdIndex {
 public:
  void reserve(std::size_t rows) { rows_.reserve(rows); }
  void add(const Column& ids);  // of the rows that follow; `ids` from id_column
  // Call when all rows are added: returns the first two that have the same identifier, if any.
  std::optional<std::pair<std::uint64_t, std::uint64_t>> sort();

  static constexpr std::uint64_t kNone = ~std::uint64_t{0};
  std::uint64_t row_of(const Column& ids, std::size_t i) const;  // counted from 0

 private:
  std::vector<std::pair<std::int64_t, std::uint64_t>> rows_;  // key, row
};

// Of a table in a file.
//
// Position of the identifiers' column, by find_column; throws RunError as find_column does, and for
// another type. `option` is where the user wrote its name.
QSOHOST_API std::size_t find_id(const InputTable& table, std::string_view name,
                                std::string_view option = "id");

// Calls `see(ids, first)` for blocks of rows, `ids` as from id_column, `first` counted from 0.
// Throws RunError where an identifier is missing.
QSOHOST_API void for_each_id(InputTable& table, std::size_t id,
                             const std::function<void(const Column&, std::uint64_t)>& see);

// Throws RunError with the rows if an identifier is missing or repeated; `advice`: what to do with
// a repeated one.
QSOHOST_API IdIndex index_ids(InputTable& table, std::size_t id,
                              std::string_view advice = "every object may be there once");

}  // namespace qsohost::inline io_v1
