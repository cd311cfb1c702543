// A SQLite file that says in which rows of a catalogue a key or a position is. It is made once and
// kept with the run: to read every row of a large catalogue takes minutes.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include <qsohost/context.hpp>
#include <qsohost/io/input_table.hpp>

namespace catalog_join {

// What joins an object to a row of the catalogue (rows are counted from 0).
struct Match {
  std::uint64_t row = 0;                   // that is taken
  std::optional<std::uint64_t> another{};  // one of the other rows that match, if there are any
  double separation = 0;                   // of the row that is taken, arcsec; only by position
};

class IndexFile {
 public:
  // Uses the file `kept` again if it was made with the same `stamp`, or else calls `make` with an
  // empty database and keeps what it makes; an empty `kept` is a temporary file. Throws RunError
  // that names the file.
  IndexFile(const std::filesystem::path& kept, const std::string& stamp,
            const std::function<void(SQLite::Database&)>& make);

  bool was_kept() const { return was_kept_; }

  // Calls `work` with the database; its errors become RunErrors that name the file.
  template <class F>
  auto use(F work) {
    try {
      return work(*db_);
    } catch (const SQLite::Exception& e) {
      fail(e);
    }
  }

 private:
  bool open_kept(const std::string& stamp);
  void make_kept(const std::string& stamp, const std::function<void(SQLite::Database&)>& make);
  [[noreturn]] void fail(const SQLite::Exception& e) const;

  std::filesystem::path kept_;
  std::optional<SQLite::Database> db_;
  bool was_kept_ = false;
};

// Calls `see(cells, first)` for blocks of rows. Throws TryAgain when Context::stop_requested().
void for_each_block(
    qsohost::InputTable& table, std::span<const std::size_t> columns,
    const qsohost::Context& context,
    const std::function<void(const std::vector<qsohost::Cells>&, std::uint64_t)>& see);

}  // namespace catalog_join
