#include "catalog_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include <qsohost/error.hpp>
#include <qsohost/io/catalog_columns.hpp>
#include <qsohost/io/identifiers.hpp>

namespace catalog {

namespace {

using qsohost::Column;
using qsohost::InputTable;
using qsohost::RunError;

constexpr std::uint64_t kBlock = 4096;

void check_position(const InputTable& table, std::uint64_t row, double ra, double dec) {
  const std::string problem = qsohost::position_problem(ra, dec);
  if (problem.empty()) return;
  throw RunError(
      fmt::format("{}: {}: {} (ra {}, dec {}, both in degrees); correct or remove the row",
                  table.name(), table.place(row), problem, ra, dec));
}

void check_id(const InputTable& table, std::uint64_t row, const Column& ids, std::size_t i) {
  if (!qsohost::id_is_missing(ids, i)) return;
  throw RunError(fmt::format("{}: {}: the identifier is missing; give one or remove the row",
                             table.name(), table.place(row)));
}

}  // namespace

void check_rows(InputTable& table, std::span<const std::size_t> columns, bool keeps_repeats) {
  if (table.rows() == 0) return;
  const auto keys = columns.first(3);
  qsohost::check_id_type(table.columns()[keys[0]], table.name());
  qsohost::IdIndex seen;
  if (!keeps_repeats) seen.reserve(table.rows());
  for (std::uint64_t first = 0; first < table.rows(); first += kBlock) {
    const auto block = table.read(first, std::min(kBlock, table.rows() - first), keys);
    const Column ids = qsohost::id_column(block[0].values);
    const Column ra = qsohost::position_column(block[1].values, "ra");
    const Column dec = qsohost::position_column(block[2].values, "dec");
    for (std::size_t i = 0; i < ids.size(); ++i) {
      check_id(table, first + i, ids, i);
      check_position(table, first + i, ra.values<double>()[i], dec.values<double>()[i]);
    }
    if (!keeps_repeats) seen.add(ids);
  }
  const auto twice = seen.sort();
  if (!twice) return;
  const Column ids = qsohost::id_column(table.read(twice->first, 1, keys.first(1))[0].values);
  throw RunError(
      fmt::format("{}: {} and {} have the same identifier {}; remove one, or take both with "
                  "repeats = \"keep\"",
                  table.name(), table.place(twice->first), table.place(twice->second),
                  qsohost::id_text(ids, 0)));
}

}  // namespace catalog
