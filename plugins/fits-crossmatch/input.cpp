#include "input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include <qsohost/error.hpp>
#include <qsohost/io/identifiers.hpp>
#include <qsohost/io/input_columns.hpp>
#include <qsohost/io/input_table.hpp>

namespace crossmatch {

namespace {

using qsohost::Column;
using qsohost::RunError;

constexpr std::uint64_t kRowsAtOnce = 2048;           // wide rows have several kilobytes
constexpr std::size_t kBlock = std::size_t{1} << 17;  // places, to keep all threads busy

}  // namespace

Input::Input(const std::string& path, const std::string& hdu, const PositionNames& names)
    : table_(path, hdu),
      columns_{path, table_.column_names()},
      ra_(find_position(names.ra, names.ra_option)),
      dec_(find_position(names.dec, names.dec_option)) {}

std::size_t Input::find_position(const std::string& column, const std::string& option) const {
  const std::size_t position = qsohost::find_column(table_, column, option);
  const qsohost::InputColumn& field = table_.columns()[position];
  qsohost::check_position_column(field, name(), option);
  return position;
}

void Input::for_each_block(const Condition* condition,
                           const std::function<void(std::span<const Place>)>& see) {
  std::vector<Place> places;
  for (std::uint64_t first = 0; first < table_.rows(); first += kRowsAtOnce) {
    add_rows(first, std::min(kRowsAtOnce, table_.rows() - first), condition, places);
    if (places.size() < kBlock) continue;
    see(places);
    places.clear();
  }
  see(places);
}

void Input::add_rows(std::uint64_t first, std::uint64_t count, const Condition* condition,
                     std::vector<Place>& places) {
  std::vector<std::size_t> fields;
  if (condition != nullptr) fields = condition->fields();
  fields.push_back(ra_);
  fields.push_back(dec_);
  std::vector<qsohost::Cells> cells = table_.read(first, count, fields);
  const Column dec = std::move(cells.back().values);
  cells.pop_back();
  const Column ra = std::move(cells.back().values);
  cells.pop_back();
  const double ra_unit = *qsohost::degrees_in(ra.info().unit);
  const double dec_unit = *qsohost::degrees_in(dec.info().unit);
  std::vector<std::uint8_t> taken(count, 1);
  if (condition != nullptr) taken = condition->test(cells, count, first);
  for (std::size_t i = 0; i < count; ++i) {
    if (taken[i] == 0) continue;
    ++taken_;
    const double a = ra_unit * ra.number(i);
    const double d = dec_unit * dec.number(i);
    if (qsohost::is_on_sky(a, d)) {
      places.push_back(place_of(a, d, first + i));
      if (a < 0 || a >= 360) ++wrapped_;
    } else if (off_sky_++ == 0) {
      first_off_sky_ = first + i;
    }
  }
}

Column ids_of(Input& input, std::size_t field, std::span<const std::uint64_t> rows) {
  constexpr std::size_t at_once = 4096;
  Column ids = qsohost::id_column(Column(input.table().columns()[field].info));
  for (std::size_t i = 0; i < rows.size(); i += at_once) {
    const auto part = rows.subspan(i, std::min(at_once, rows.size() - i));
    const Column read =
        qsohost::id_column(input.table().read(part, std::span(&field, 1))[0].values);
    for (std::size_t k = 0; k < part.size(); ++k) {
      if (!qsohost::id_is_missing(read, k)) continue;
      throw RunError(fmt::format(
          "{}: {} matches, but its identifier (column '{}', option 'id') is missing; give one or "
          "remove the row",
          input.name(), input.table().place(part[k]), input.columns().columns[field]));
    }
    ids.append_cells(read, 0, read.size());
  }
  return ids;
}

std::vector<std::uint32_t> ranks_of(const Column& ids) {
  std::vector<std::uint32_t> order(ids.size());
  std::iota(order.begin(), order.end(), std::uint32_t{0});
  std::vector<std::uint32_t> ranks(ids.size());
  const auto rank_by = [&](const auto& key) {
    std::ranges::sort(order, {}, key);
    std::uint32_t rank = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (i > 0 && key(order[i]) != key(order[i - 1])) ++rank;
      ranks[order[i]] = rank;
    }
  };
  if (ids.dtype() == qsohost::DType::String) {
    rank_by([&](std::uint32_t i) { return ids.strings()[i]; });
  } else {
    rank_by([values = ids.values<std::int64_t>()](std::uint32_t i) { return values[i]; });
  }
  return ranks;
}

}  // namespace crossmatch
