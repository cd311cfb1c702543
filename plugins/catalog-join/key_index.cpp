#include "key_index.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include <qsohost/io/identifiers.hpp>

namespace catalog_join {

namespace {

using qsohost::Cells;
using qsohost::Column;
using qsohost::DType;

Column key_column(const Column& read, bool wants_text, std::span<const double> nulls) {
  const Column ids = qsohost::id_column(read);
  const DType dtype = wants_text ? DType::String : ids.dtype();
  Column keys({read.name(), dtype, "", ""});
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const bool is_number = ids.dtype() == DType::I64;
    if (qsohost::id_is_missing(ids, i) ||
        (is_number && std::ranges::find(nulls, ids.number(i)) != nulls.end())) {
      keys.append_null();
    } else if (dtype == DType::String) {
      keys.append_string(qsohost::id_text(ids, i));
    } else {
      keys.append_cells(ids, i, 1);
    }
  }
  return keys;
}

// "k0{}, k1{}" for two columns.
std::string list_of(std::size_t columns, std::string_view after, std::string_view between) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < columns; ++i) parts.push_back(fmt::format("k{}{}", i, after));
  return fmt::format("{}", fmt::join(parts, between));
}

void insert_rows(SQLite::Database& db, qsohost::InputTable& table, const KeyIndex::Columns& columns,
                 std::span<const double> nulls, const qsohost::Context& context) {
  const std::size_t n = columns.positions.size();
  // A row's rowid is its number in the catalogue. Without a type SQLite converts no value.
  db.exec(fmt::format("CREATE TABLE keys({})", list_of(n, "", ", ")));
  SQLite::Statement insert(
      db, fmt::format("INSERT INTO keys({}, rowid) VALUES({}?)", list_of(n, "", ", "), [&] {
        std::string marks;
        for (std::size_t i = 0; i < n; ++i) marks += "?, ";
        return marks;
      }()));
  for_each_block(table, columns.positions, context,
                 [&](const std::vector<Cells>& cells, std::uint64_t first) {
                   std::vector<const Column*> read;
                   for (const Cells& c : cells) read.push_back(&c.values);
                   const Keys keys(read, columns.texts, nulls);
                   for (std::size_t i = 0; i < keys.size(); ++i) {
                     if (keys.is_missing(i)) continue;
                     insert.reset();
                     keys.bind(insert, i);
                     insert.bind(static_cast<int>(n) + 1, static_cast<std::int64_t>(first + i));
                     insert.exec();
                   }
                 });
}

void make_index(SQLite::Database& db, qsohost::InputTable& table, const KeyIndex::Columns& columns,
                std::span<const double> nulls, const qsohost::Context& context) {
  insert_rows(db, table, columns, nulls, context);
  const std::string names = list_of(columns.positions.size(), "", ", ");
  db.exec(fmt::format("CREATE INDEX by_key ON keys({})", names));
  db.exec(
      fmt::format("CREATE TABLE facts AS SELECT {} - (SELECT count(*) FROM keys) AS without_key, "
                  "count(*) AS repeated_keys, coalesce(sum(n), 0) AS rows_of_repeated, "
                  "coalesce(min(first), 0) AS first, last FROM (SELECT count(*) AS n, "
                  "min(rowid) AS first, max(rowid) AS last FROM keys GROUP BY {} HAVING n > 1)",
                  table.rows(), names));
}

std::uint64_t number(SQLite::Statement& row, int column) {
  return static_cast<std::uint64_t>(row.getColumn(column).getInt64());
}

}  // namespace

Keys::Keys(std::span<const Column* const> read, const std::vector<std::uint8_t>& texts,
           std::span<const double> nulls) {
  for (std::size_t i = 0; i < read.size(); ++i) {
    columns_.push_back(key_column(*read[i], texts[i] != 0, nulls));
  }
}

bool Keys::is_missing(std::size_t i) const {
  return std::ranges::any_of(columns_, [i](const Column& c) { return c.is_null(i); });
}

std::string Keys::text(std::size_t i) const {
  std::vector<std::string> parts;
  for (const Column& column : columns_) parts.push_back(qsohost::id_text(column, i));
  return fmt::format("{}", fmt::join(parts, "-"));
}

void Keys::bind(SQLite::Statement& to, std::size_t i) const {
  int position = 0;
  for (const Column& column : columns_) {
    if (column.dtype() == DType::I64) {
      to.bind(++position, column.values<std::int64_t>()[i]);
    } else {
      to.bind(++position, std::string(column.strings()[i]));
    }
  }
}

KeyIndex::KeyIndex(qsohost::InputTable& table, const Columns& columns,
                   std::span<const double> nulls, const std::filesystem::path& kept,
                   std::string stamp, const qsohost::Context& context)
    : index_(kept,
             fmt::format("{}\nkeys {}, as texts {}, missing {}", stamp,
                         fmt::join(columns.positions, " "), fmt::join(columns.texts, " "),
                         fmt::join(nulls, " ")),
             [&](SQLite::Database& db) { make_index(db, table, columns, nulls, context); }) {
  index_.use([&](SQLite::Database& db) {
    SQLite::Statement row(
        db, "SELECT without_key, repeated_keys, rows_of_repeated, first, last FROM facts");
    row.executeStep();
    facts_ = {number(row, 0), number(row, 1), number(row, 2), number(row, 3), number(row, 4)};
    look_up_.emplace(db, fmt::format("SELECT rowid FROM keys WHERE {} ORDER BY rowid LIMIT 2",
                                     list_of(columns.positions.size(), " = ?", " AND ")));
  });
}

std::optional<Match> KeyIndex::find(const Keys& keys, std::size_t i) {
  return index_.use([&](SQLite::Database&) {
    std::optional<Match> found;
    look_up_->reset();
    keys.bind(*look_up_, i);
    if (look_up_->executeStep()) found = Match{number(*look_up_, 0)};
    if (found && look_up_->executeStep()) found->another = number(*look_up_, 0);
    return found;
  });
}

}  // namespace catalog_join
