#include "sky_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <qsohost/io/input_columns.hpp>
#include <qsohost/sphere.hpp>

namespace catalog_join {

namespace {

using qsohost::Cells;

constexpr double kHeight = 1.0 / 60;  // of a zone, deg: 100 rows of a million
constexpr double kSlack = 1e-9;       // deg, for rounding

std::int64_t zone_of(double dec) {
  return static_cast<std::int64_t>(std::floor((std::clamp(dec, -90.0, 90.0) + 90) / kHeight));
}

void make_index(SQLite::Database& db, qsohost::InputTable& table, std::size_t ra, std::size_t dec,
                const qsohost::Context& context) {
  // A row's rowid is its number in the catalogue.
  db.exec("CREATE TABLE places(zone INTEGER, ra REAL, dec REAL)");
  SQLite::Statement insert(db, "INSERT INTO places(rowid, zone, ra, dec) VALUES(?, ?, ?, ?)");
  const double ra_unit = *qsohost::degrees_in(table.columns()[ra].info.unit);
  const double dec_unit = *qsohost::degrees_in(table.columns()[dec].info.unit);
  const auto add = [&](const std::vector<Cells>& cells, std::uint64_t first) {
    for (std::size_t i = 0; i < cells[0].values.size(); ++i) {
      const double a = ra_unit * cells[0].values.number(i);
      const double d = dec_unit * cells[1].values.number(i);
      if (!qsohost::is_on_sky(a, d)) continue;
      insert.reset();
      insert.bind(1, static_cast<std::int64_t>(first + i));
      insert.bind(2, zone_of(d));
      insert.bind(3, qsohost::wrapped_ra(a));
      insert.bind(4, d);
      insert.exec();
    }
  };
  for_each_block(table, std::array{ra, dec}, context, add);
  db.exec("CREATE INDEX by_place ON places(zone, ra, dec)");
  db.exec(
      fmt::format("CREATE TABLE facts AS SELECT {} - (SELECT count(*) FROM places)", table.rows()));
}

// The parts of [0, 360) that are within `window` of `ra`.
std::vector<std::pair<double, double>> ranges_of(double ra, double window) {
  if (window >= 180) return {{0, 360}};
  std::vector<std::pair<double, double>> out{{ra - window, ra + window}};
  if (ra - window < 0) out.emplace_back(ra - window + 360, 360);
  if (ra + window >= 360) out.emplace_back(0, ra + window - 360);
  return out;
}

}  // namespace

SkyIndex::SkyIndex(qsohost::InputTable& table, std::size_t ra, std::size_t dec,
                   const std::filesystem::path& kept, std::string stamp,
                   const qsohost::Context& context)
    : index_(kept, fmt::format("{}\nplaces {} {}", stamp, ra, dec),
             [&](SQLite::Database& db) { make_index(db, table, ra, dec, context); }) {
  index_.use([&](SQLite::Database& db) {
    without_position_ = static_cast<std::uint64_t>(db.execAndGet("SELECT * FROM facts").getInt64());
    look_up_.emplace(db, "SELECT rowid, ra, dec FROM places WHERE zone = ? AND ra BETWEEN ? AND ?");
  });
}

std::optional<Match> SkyIndex::find(double ra, double dec, double radius_arcsec) {
  const double reach = radius_arcsec / 3600 + kSlack;
  const double from_ra = qsohost::wrapped_ra(ra);
  struct Near {
    double separation;
    std::uint64_t row;
    auto operator<=>(const Near&) const = default;
  };
  std::vector<Near> near;
  index_.use([&](SQLite::Database&) {
    const std::int64_t last = zone_of(dec + reach);
    for (std::int64_t zone = zone_of(dec - reach); zone <= last; ++zone) {
      for (const auto& [low, high] : ranges_of(from_ra, qsohost::ra_reach(dec, reach))) {
        look_up_->reset();
        look_up_->bind(1, zone);
        look_up_->bind(2, low);
        look_up_->bind(3, high);
        while (look_up_->executeStep()) {
          const double separation = qsohost::separation_arcsec(
              from_ra, dec, look_up_->getColumn(1).getDouble(), look_up_->getColumn(2).getDouble());
          if (separation > radius_arcsec) continue;
          near.push_back(
              {separation, static_cast<std::uint64_t>(look_up_->getColumn(0).getInt64())});
        }
      }
    }
  });
  if (near.empty()) return std::nullopt;
  std::ranges::sort(near);
  Match found{near[0].row, std::nullopt, near[0].separation};
  if (near.size() > 1) found.another = near[1].row;
  return found;
}

}  // namespace catalog_join
