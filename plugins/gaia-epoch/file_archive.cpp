#include "file_archive.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <qsohost/error.hpp>
#include <qsohost/io/input_table.hpp>
#include <qsohost/io/units.hpp>

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

}  // namespace

FileArchive::FileArchive(const std::vector<std::string>& files, const std::string& hdu,
                         const std::vector<Wanted>& wanted, const std::filesystem::path& index,
                         qsohost::Context& context)
    : wanted_(wanted) {
  for (const std::string& file : files) {
    qsohost::InputTable table(file, hdu);
    for (const std::string& warning : table.warnings()) context.warn(warning);
    fields_.push_back(match_columns(file, columns_of(table), wanted));
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

Block FileArchive::read(std::size_t file, std::uint64_t first, std::uint64_t count) {
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

// Consecutive rows of a file are read at once.
LookUp FileArchive::look_up(std::span<const std::int64_t> ids, const BatchInfo& /*batch*/) {
  std::vector<Place> places;
  for (const std::int64_t id : ids) index_->find(id, places);
  std::ranges::sort(places);
  std::vector<Block> blocks;
  for (std::size_t begin = 0; begin < places.size();) {
    std::size_t end = begin + 1;
    while (end < places.size() && places[end].file == places[begin].file &&
           places[end].row == places[end - 1].row + 1) {
      ++end;
    }
    const Place& place = places[begin];
    const Block& block = blocks.emplace_back(read(place.file, place.row, end - begin));
    for (const std::int64_t id : block.ids) {
      if (std::ranges::binary_search(ids, id)) continue;
      throw RunError(fmt::format(
          "{}: row {} and the next {}: another source_id than before; the file was changed while "
          "the run read it: resume the run",
          files_[place.file].name, place.row + 1, end - begin - 1));
    }
    begin = end;
  }
  return {std::move(blocks)};
}

}  // namespace gaia
