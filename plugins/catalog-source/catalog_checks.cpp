#include "catalog_checks.hpp"

#include <fmt/format.h>

#include <cmath>

#include <qsohost/io/identifiers.hpp>
#include <qsohost/io/input_columns.hpp>

namespace catalog {

namespace {

using qsohost::Column;
using qsohost::DType;
using qsohost::RunError;

constexpr std::size_t kBlock = 4096;

void check_position(const TableInput& input, const Column& ra, const Column& dec, std::size_t i) {
  const double a = ra.values<double>()[i];
  const double d = dec.values<double>()[i];
  const auto fail = [&](std::string_view what) {
    throw RunError(
        fmt::format("{}: {}: {} (ra {}, dec {}, both in degrees); correct or remove the row",
                    input.name(), input.place(i), what, a, d));
  };
  if (!std::isfinite(a) || !std::isfinite(d)) fail("the position is not a number");
  if (a < 0 || a > 360) fail("ra is outside [0, 360]");
  if (d < -90 || d > 90) fail("dec is outside [-90, 90]");
}

void check_id(const TableInput& input, const Column& ids, std::size_t i) {
  if (!qsohost::id_is_missing(ids, i)) return;
  throw RunError(fmt::format("{}: {}: the identifier is missing; give one or remove the row",
                             input.name(), input.place(i)));
}

// Reads the rows again up to the second of two duplicates, to report where they are in the file.
void report_duplicate(TableInput& input, std::size_t id, std::uint64_t first,
                      std::uint64_t second) {
  input.start({id});
  std::string there;
  for (std::uint64_t begin = 0;; begin += kBlock) {
    const std::vector<Column> block = input.next(kBlock);
    if (first >= begin && first < begin + kBlock) there = input.place(first - begin);
    if (second >= begin + kBlock) continue;
    throw RunError(
        fmt::format("{}: {} and {} have the same identifier {}; remove one, or "
                    "take both with repeats = \"keep\"",
                    input.name(), there, input.place(second - begin),
                    qsohost::id_text(qsohost::id_column(block[0]), second - begin)));
  }
}

}  // namespace

Column position_column(const Column& read, const std::string& name) {
  Column column({name, DType::F64, "deg", read.info().description});
  const double degrees = *qsohost::degrees_in(read.info().unit);
  for (std::size_t i = 0; i < read.size(); ++i) column.append(degrees * read.number(i));
  return column;
}

void check_rows(TableInput& input, const KeyColumns& keys, bool keeps_repeats) {
  const InputColumn& id = input.columns()[keys.id];
  qsohost::check_id_type(id.info, !id.trouble.empty(), input.name());
  qsohost::IdIndex seen;
  if (!keeps_repeats) seen.reserve(input.rows());
  input.start({keys.id, keys.ra, keys.dec});
  for (;;) {
    const std::vector<Column> block = input.next(kBlock);
    if (block[0].size() == 0) break;
    const Column ids = qsohost::id_column(block[0]);
    const Column ra = position_column(block[1], "ra");
    const Column dec = position_column(block[2], "dec");
    for (std::size_t i = 0; i < ids.size(); ++i) {
      check_id(input, ids, i);
      check_position(input, ra, dec, i);
    }
    if (!keeps_repeats) seen.add(ids);
  }
  if (const auto twice = seen.sort()) report_duplicate(input, keys.id, twice->first, twice->second);
}

}  // namespace catalog
