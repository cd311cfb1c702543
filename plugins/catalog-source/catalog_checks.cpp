#include "catalog_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

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

// Integers stand for themselves, texts for a hash: equal ids always have equal keys.
std::int64_t key_of(const Column& ids, std::size_t i) {
  if (ids.dtype() != DType::String) return ids.values<std::int64_t>()[i];
  return static_cast<std::int64_t>(std::hash<std::string_view>{}(ids.strings()[i]));
}

std::string id_text(const Column& ids, std::size_t i) {
  if (ids.dtype() == DType::String) return std::string(ids.strings()[i]);
  return std::to_string(ids.values<std::int64_t>()[i]);
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
  const bool empty = ids.dtype() == DType::String && ids.strings()[i].empty();
  if (!empty && !ids.is_null(i)) return;
  throw ChainError(fmt::format("{}: {}: the identifier is missing; give one or remove the row",
                               input.name(), input.place(i)));
}

// Calls `see` for every row of the id column.
template <class F>
void for_each_id(TableInput& input, std::size_t id, const F& see) {
  input.start({id});
  for (;;) {
    const std::vector<Column> block = input.next(kBlock);
    if (block[0].size() == 0) return;
    const Column ids = id_column(block[0], input.name());
    for (std::size_t i = 0; i < ids.size(); ++i) see(ids, i);
  }
}

// Rows with the same key: says where, unless they are different texts with the same hash.
void report_duplicate(TableInput& input, std::size_t id, std::int64_t key) {
  std::vector<std::pair<std::string, std::string>> seen;  // id, place
  for_each_id(input, id, [&](const Column& ids, std::size_t i) {
    if (key_of(ids, i) != key) return;
    const std::string text = id_text(ids, i);
    for (const auto& [other, place] : seen) {
      if (other != text) continue;
      throw ChainError(
          fmt::format("{}: {} and {} have the same identifier {}; every object may be there once",
                      input.name(), place, input.place(i), text));
    }
    seen.emplace_back(text, input.place(i));
  });
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

Column id_column(const Column& read, const std::string& file) {
  const qsohost::ColumnInfo& info = read.info();
  const bool is_text = read.dtype() == DType::String;
  const bool is_integer =
      read.dtype() == DType::I16 || read.dtype() == DType::I32 || read.dtype() == DType::I64;
  if (info.width != 1 || (!is_text && !is_integer)) {
    throw ChainError(fmt::format(
        "{}: column '{}' (option 'id') holds {}, but identifiers must be integers or texts, one a "
        "row{}",
        file, info.name, info.width == 1 ? name_of(read.dtype()) : "several values a row",
        read.dtype() == DType::F64 ? ": a floating-point number cannot hold all digits" : ""));
  }
  Column ids({"source_id", is_text ? DType::String : DType::I64, "", info.description});
  if (is_text || read.dtype() == DType::I64) {
    ids.append_cells(read, 0, read.size());
    return ids;
  }
  for (std::size_t i = 0; i < read.size(); ++i) {
    if (read.is_null(i)) {
      ids.append_null();
    } else {
      ids.append(static_cast<std::int64_t>(read.number(i)));
    }
  }
  return ids;
}

Column position_column(const Column& read, const std::string& name) {
  Column column({name, DType::F64, "deg", read.info().description});
  for (std::size_t i = 0; i < read.size(); ++i) column.append(read.number(i));
  return column;
}

void check_rows(TableInput& input, const KeyColumns& keys) {
  std::vector<std::int64_t> seen;
  seen.reserve(input.rows());
  input.start({keys.id, keys.ra, keys.dec});
  for (;;) {
    const std::vector<Column> block = input.next(kBlock);
    if (block[0].size() == 0) break;
    const Column ids = id_column(block[0], input.name());
    const Column ra = position_column(block[1], "ra");
    const Column dec = position_column(block[2], "dec");
    for (std::size_t i = 0; i < ids.size(); ++i) {
      check_id(input, ids, i);
      check_position(input, ra, dec, i);
      seen.push_back(key_of(ids, i));
    }
  }
  std::sort(seen.begin(), seen.end());
  for (auto it = seen.begin(); (it = std::adjacent_find(it, seen.end())) != seen.end(); ++it) {
    report_duplicate(input, keys.id, *it);
  }
}

}  // namespace catalog
