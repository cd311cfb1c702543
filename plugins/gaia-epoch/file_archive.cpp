#include "file_archive.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include <qsohost/error.hpp>
#include <qsohost/io/identifiers.hpp>
#include <qsohost/io/input_table.hpp>
#include <qsohost/io/units.hpp>

#include "column_roles.hpp"
#include "epoch_rows.hpp"
#include "text_table.hpp"

namespace gaia {

namespace {

using qsohost::RunError;

std::vector<Found> columns_of(const qsohost::InputTable& table) {
  std::vector<Found> out;
  for (const qsohost::InputColumn& column : table.columns()) {
    const bool is_array = column.is_array || column.info.width > 1;
    out.push_back({column.info.name, column.info.dtype, is_array, column.problem});
  }
  return out;
}

// A row a transit, or a transit and band: times are there, but no arrays of them.
bool has_row_a_transit(const std::vector<Found>& columns) {
  std::vector<std::string> names;
  for (const Found& column : columns) names.push_back(column.name);
  constexpr std::array<std::string_view, 1> kLongForm{"band"};
  const auto time = position_of(role_called("g_transit_time"), names);
  return time ? !columns[*time].is_array : position_of(kLongForm, names).has_value();
}

// The column of identifiers of such a file, all of whose other columns are there.
std::size_t check_transits(qsohost::InputTable& table, const std::vector<Wanted>& wanted) {
  try {
    const TextTable header = rows_of(table, {});
    to_block(header, wanted);
    const std::size_t id = *position_of(kIdNames, header.columns);
    const std::vector<std::string> names = table.column_names();
    const auto at = std::ranges::find(names, header.columns[id]) - names.begin();
    const auto position = static_cast<std::size_t>(at);
    if (table.rows() > 0) {
      qsohost::check_id_type(table.columns()[position], table.name(), "paths");
    }
    return position;
  } catch (const qsohost::BadObject& e) {
    throw RunError(fmt::format("{}: {}", table.name(), e.what()));
  }
}

}  // namespace

FileArchive::FileArchive(const std::vector<std::string>& files, const std::string& hdu,
                         const std::vector<Wanted>& wanted, const std::filesystem::path& index,
                         qsohost::Context& context)
    : wanted_(wanted) {
  for (const std::string& file : files) {
    qsohost::InputTable table(file, hdu);
    for (const std::string& warning : table.warnings()) context.warn(warning);
    const std::vector<Found> columns = columns_of(table);
    if (has_row_a_transit(columns)) {
      const std::size_t id = check_transits(table, wanted);
      fields_.emplace_back();
      files_.push_back({file, std::move(table), id});
      continue;
    }
    fields_.push_back(match_columns(file, columns, wanted));
    files_.push_back({file, std::move(table), fields_.back()[0]});
  }
  const bool is_there = !index.empty() && std::filesystem::exists(index);
  index_.emplace(files_, index);
  context.info(fmt::format("{} rows in {} file{}, index {}", index_->rows(), files_.size(),
                           files_.size() == 1 ? "" : "s",
                           index_->was_kept() ? "made before"
                           : is_there         ? "made again, for the files are others than before"
                                              : "made"));
}

Block FileArchive::read_arrays(std::size_t file, std::uint64_t first, std::uint64_t count) {
  Block block;
  std::vector<qsohost::Cells> cells = files_[file].table.read(first, count, fields_[file]);
  const auto ids = std::as_const(cells[0].values).values<std::int64_t>();
  block.ids.assign(ids.begin(), ids.end());
  std::vector<qsohost::Cells> arrays;
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    const TableColumn& column = wanted_[i].table;
    qsohost::convert_unit(cells[i + 1].values, column.unit, files_[file].name, "paths");
    if (column.is_array) arrays.push_back(std::move(cells[i + 1]));
  }
  qsohost::fixed_to_arrays(arrays);
  auto next = arrays.begin();
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    qsohost::Cells& from = wanted_[i].table.is_array ? *next++ : cells[i + 1];
    block.cells.emplace_back(std::move(from.values), from.lengths);
  }
  return block;
}

// With a row a transit. The rows of a source may be anywhere in the file.
Block FileArchive::read_transits(std::size_t file, std::span<const std::uint64_t> rows) {
  try {
    return to_block(rows_of(files_[file].table, rows), wanted_);
  } catch (const qsohost::BadObject& e) {
    throw RunError(fmt::format("{}: one of {} from {} on: {}", files_[file].name, rows.size(),
                               files_[file].table.place(rows.front()), e.what()));
  }
}

// Consecutive rows are read at once.
void FileArchive::add_arrays(std::size_t file, std::span<const std::uint64_t> rows,
                             std::span<const std::int64_t> ids, std::vector<Block>& blocks) {
  for (std::size_t begin = 0; begin < rows.size();) {
    std::size_t end = begin + 1;
    while (end < rows.size() && rows[end] == rows[end - 1] + 1) ++end;
    const Block& block = blocks.emplace_back(read_arrays(file, rows[begin], end - begin));
    for (const std::int64_t id : block.ids) {
      if (std::ranges::binary_search(ids, id)) continue;
      throw RunError(fmt::format(
          "{}: row {} and the next {}: another source_id than before; the file was changed while "
          "the run read it; go on with --resume",
          files_[file].name, rows[begin] + 1, end - begin - 1));
    }
    begin = end;
  }
}

LookUp FileArchive::look_up(std::span<const std::int64_t> ids, const BatchInfo& /*batch*/) {
  std::vector<Place> places;
  for (const std::int64_t id : ids) index_->find(id, places);
  std::ranges::sort(places);
  std::vector<std::vector<std::uint64_t>> rows(files_.size());
  for (const Place& place : places) rows[place.file].push_back(place.row);
  std::vector<Block> blocks;
  for (std::size_t file = 0; file < files_.size(); ++file) {
    if (rows[file].empty()) continue;
    if (fields_[file].empty()) {
      blocks.push_back(read_transits(file, rows[file]));
    } else {
      add_arrays(file, rows[file], ids, blocks);
    }
  }
  return {std::move(blocks)};
}

}  // namespace gaia
