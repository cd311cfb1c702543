#include "catalog_checks.hpp"

#include <fmt/format.h>

#include <cmath>

#include <qsohost/identifiers.hpp>
#include <qsohost/loader.hpp>

namespace catalog {

namespace {

using qsohost::ChainError;
using qsohost::Column;
using qsohost::DType;

constexpr std::size_t kBlock = 4096;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

void check_position(const TableInput& input, const Column& ra, const Column& dec, std::size_t i) {
  const double a = ra.values<double>()[i];
  const double d = dec.values<double>()[i];
  const auto fail = [&](std::string_view what) {
    throw ChainError(
        fmt::format("{}: {}: {} (ra {}, dec {}, both in degrees); correct or remove the row",
                    input.name(), input.place(i), what, a, d));
  };
  if (!std::isfinite(a) || !std::isfinite(d)) fail("the position is not a number");
  if (a < 0 || a > 360) fail("ra is outside [0, 360]");
  if (d < -90 || d > 90) fail("dec is outside [-90, 90]");
}

void check_id(const TableInput& input, const Column& ids, std::size_t i) {
  if (!qsohost::id_is_missing(ids, i)) return;
  throw ChainError(fmt::format("{}: {}: the identifier is missing; give one or remove the row",
                               input.name(), input.place(i)));
}

// Reads again up to the second of two rows, to say where in the file they are.
void report_duplicate(TableInput& input, std::size_t id, std::uint64_t first,
                      std::uint64_t second) {
  input.start({id});
  std::string there;
  for (std::uint64_t begin = 0;; begin += kBlock) {
    const std::vector<Column> block = input.next(kBlock);
    if (first >= begin && first < begin + kBlock) there = input.place(first - begin);
    if (second >= begin + kBlock) continue;
    throw ChainError(
        fmt::format("{}: {} and {} have the same identifier {}; remove one, or "
                    "take both with repeats = \"keep\"",
                    input.name(), there, input.place(second - begin),
                    qsohost::id_text(qsohost::id_column(block[0]), second - begin)));
  }
}

}  // namespace

std::size_t find_column(const TableInput& input, std::string_view name, std::string_view option) {
  std::vector<std::string> names;
  std::vector<std::size_t> alike;
  for (std::size_t i = 0; i < input.columns().size(); ++i) {
    const std::string& candidate = input.columns()[i].info.name;
    if (candidate == name) return i;
    if (lower(candidate) == lower(name)) alike.push_back(i);
    names.push_back(candidate);
  }
  if (alike.size() == 1) return alike[0];
  if (alike.size() > 1) {
    throw ChainError(
        fmt::format("{}: column '{}' (option '{}') could be '{}' or '{}'; spell it "
                    "exactly",
                    input.name(), name, option, names[alike[0]], names[alike[1]]));
  }
  throw ChainError(fmt::format("{}: there is no column '{}' (option '{}'){}", input.name(), name,
                               option, qsohost::did_you_mean(name, names)));
}

Column position_column(const Column& read, const std::string& name) {
  Column column({name, DType::F64, "deg", read.info().description});
  for (std::size_t i = 0; i < read.size(); ++i) column.append(read.number(i));
  return column;
}

void check_rows(TableInput& input, const KeyColumns& keys, bool keeps_repeats) {
  qsohost::check_id_type(input.columns()[keys.id].info, false, input.name());
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
