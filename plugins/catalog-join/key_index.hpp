// The rows of a catalogue by key: one column of integers or texts, or several together.
#pragma once

#include <SQLiteCpp/Statement.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <qsohost/column.hpp>
#include <qsohost/context.hpp>
#include <qsohost/io/input_table.hpp>

#include "index_file.hpp"

namespace catalog_join {

// The columns of a key, of a block of rows or a batch: i64 or texts without blanks around them.
class Keys {
 public:
  // `texts`, for each column: integers are to be texts ("12"), because they are on the other side.
  // Numbers in `nulls` are missing values.
  Keys(std::span<const qsohost::Column* const> read, const std::vector<std::uint8_t>& texts,
       std::span<const double> nulls);

  std::size_t size() const { return columns_.front().size(); }
  bool is_missing(std::size_t i) const;   // one of its values is
  std::string text(std::size_t i) const;  // "3586-55181-12"
  // To the first parameters of a statement. Texts are not copied: the keys must live as long.
  void bind(SQLite::Statement& to, std::size_t i) const;

 private:
  std::vector<qsohost::Column> columns_;
};

class KeyIndex {
 public:
  struct Columns {
    std::vector<std::size_t> positions;  // in the table
    std::vector<std::uint8_t> texts;     // as Keys takes it
  };
  // `kept` and `stamp` as IndexFile takes them; `stamp` need not name the columns.
  KeyIndex(qsohost::InputTable& table, const Columns& columns, std::span<const double> nulls,
           const std::filesystem::path& kept, std::string stamp, const qsohost::Context& context);

  bool was_kept() const { return index_.was_kept(); }
  struct Facts {
    std::uint64_t without_key = 0;       // rows
    std::uint64_t repeated_keys = 0;     // keys that are in several rows
    std::uint64_t rows_of_repeated = 0;  // rows with such a key
    std::uint64_t first = 0;             // two rows with one key, if there are any
    std::uint64_t last = 0;
  };
  const Facts& facts() const { return facts_; }

  // Of the rows with this key, which is not missing, the first.
  std::optional<Match> find(const Keys& keys, std::size_t i);

 private:
  IndexFile index_;
  Facts facts_;
  std::optional<SQLite::Statement> look_up_;
};

}  // namespace catalog_join
