// The rows of a catalogue by position: zones of declination, by right ascension inside (Gray,
// Nieto-Santisteban & Szalay 2006, "The Zones Algorithm", MSR-TR-2006-52).
#pragma once

#include <SQLiteCpp/Statement.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <qsohost/context.hpp>
#include <qsohost/io/input_table.hpp>

#include "index_file.hpp"

namespace catalog_join {

class SkyIndex {
 public:
  // `ra`, `dec`: positions of the columns, which hold angles. `kept` and `stamp` as IndexFile takes
  // them; `stamp` need not name the columns.
  SkyIndex(qsohost::InputTable& table, std::size_t ra, std::size_t dec,
           const std::filesystem::path& kept, std::string stamp, const qsohost::Context& context);

  bool was_kept() const { return index_.was_kept(); }
  std::uint64_t without_position() const { return without_position_; }  // rows

  // Of the rows within the radius (inclusive) of a position on the sky (degrees) the nearest, of
  // equally near ones the first; `another` is the one that comes next.
  std::optional<Match> find(double ra, double dec, double radius_arcsec);

 private:
  IndexFile index_;
  std::uint64_t without_position_ = 0;
  std::optional<SQLite::Statement> look_up_;
};

}  // namespace catalog_join
