#include "array_rows.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <utility>

#include <qsohost/io/identifiers.hpp>

namespace curves {

ArrayRows::ArrayRows(std::vector<InputFile>& files, const Layout& layout)
    : files_(files), layout_(layout), fields_(files.size()) {
  fields_[0].push_back(files_[0].id);
  const auto want = [&](const Origin& origin) { fields_[origin.file].push_back(origin.field); };
  std::ranges::for_each(layout_.objects, want);
  for (const Curve& curve : layout_.curves) std::ranges::for_each(curve.columns, want);
}

qsohost::Column ArrayRows::ids(std::uint64_t first, std::uint64_t count) {
  InputFile& file = files_[0];
  return qsohost::id_column(file.table.read(first, count, std::span(&file.id, 1))[0].values);
}

ObjectCurves ArrayRows::read(std::uint64_t first, std::uint64_t count) {
  // By file and field; each is the identifier, a column of objects or of one light curve.
  std::map<std::pair<std::size_t, std::size_t>, qsohost::Cells> read;
  for (std::size_t file = 0; file < files_.size(); ++file) {
    if (fields_[file].empty()) continue;
    auto cells = files_[file].table.read(first, count, fields_[file]);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      read.emplace(std::pair(file, fields_[file][i]), std::move(cells[i]));
    }
  }
  const auto take = [&](const Origin& origin) -> qsohost::Cells {
    return std::move(read.at({origin.file, origin.field}));
  };
  ObjectCurves out{qsohost::id_column(read.at({0, files_[0].id}).values)};
  for (const Origin& origin : layout_.objects) out.objects.push_back(take(origin).values);
  for (const Curve& curve : layout_.curves) {
    CurveCells& cells = out.curves.emplace_back();
    cells.first = first;
    for (const Origin& origin : curve.columns) {
      cells.columns.push_back(take(origin));
      cells.tables.push_back(&files_[origin.file].table);
    }
  }
  return out;
}

}  // namespace curves
