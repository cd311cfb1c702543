#include "catalog_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include <qsohost/io/identifiers.hpp>
#include <qsohost/io/input_columns.hpp>

namespace catalog {

namespace {

using qsohost::Column;
using qsohost::DType;
using qsohost::InputTable;
using qsohost::RunError;

constexpr std::uint64_t kBlock = 4096;

void check_position(const InputTable& table, std::uint64_t row, double ra, double dec) {
  const auto fail = [&](std::string_view what) {
    throw RunError(
        fmt::format("{}: {}: {} (ra {}, dec {}, both in degrees); correct or remove the row",
                    table.name(), table.place(row), what, ra, dec));
  };
  if (!std::isfinite(ra) || !std::isfinite(dec)) fail("the position is not a number");
  if (ra < 0 || ra > 360) fail("ra is outside [0, 360]");
  if (dec < -90 || dec > 90) fail("dec is outside [-90, 90]");
}

void check_id(const InputTable& table, std::uint64_t row, const Column& ids, std::size_t i) {
  if (!qsohost::id_is_missing(ids, i)) return;
  throw RunError(fmt::format("{}: {}: the identifier is missing; give one or remove the row",
                             table.name(), table.place(row)));
}

}  // namespace

Column position_column(const Column& read, const std::string& name) {
  Column column({name, DType::F64, "deg", read.info().description});
  const double degrees = *qsohost::degrees_in(read.info().unit);
  for (std::size_t i = 0; i < read.size(); ++i) column.append(degrees * read.number(i));
  return column;
}

void check_rows(InputTable& table, const KeyColumns& keys, bool keeps_repeats) {
  if (table.rows() == 0) return;
  qsohost::check_id_type(table.columns()[keys.id], table.name());
  qsohost::IdIndex seen;
  if (!keeps_repeats) seen.reserve(table.rows());
  const std::array<std::size_t, 3> columns{keys.id, keys.ra, keys.dec};
  for (std::uint64_t first = 0; first < table.rows(); first += kBlock) {
    const auto block = table.read(first, std::min(kBlock, table.rows() - first), columns);
    const Column ids = qsohost::id_column(block[0].values);
    const Column ra = position_column(block[1].values, "ra");
    const Column dec = position_column(block[2].values, "dec");
    for (std::size_t i = 0; i < ids.size(); ++i) {
      check_id(table, first + i, ids, i);
      check_position(table, first + i, ra.values<double>()[i], dec.values<double>()[i]);
    }
    if (!keeps_repeats) seen.add(ids);
  }
  const auto twice = seen.sort();
  if (!twice) return;
  const Column ids = qsohost::id_column(table.read(twice->first, 1, {&keys.id, 1})[0].values);
  throw RunError(
      fmt::format("{}: {} and {} have the same identifier {}; remove one, or take both with "
                  "repeats = \"keep\"",
                  table.name(), table.place(twice->first), table.place(twice->second),
                  qsohost::id_text(ids, 0)));
}

}  // namespace catalog
