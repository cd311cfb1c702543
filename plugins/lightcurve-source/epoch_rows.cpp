#include "epoch_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "epoch_bands.hpp"

namespace curves {

namespace {

using qsohost::Column;
using qsohost::DType;
using qsohost::RunError;

std::vector<std::size_t> fields_of(const Layout& layout) {
  std::set<std::size_t> fields;
  if (layout.band_field) fields.insert(*layout.band_field);
  for (const Origin& origin : layout.objects) fields.insert(origin.field);
  for (const Curve& curve : layout.curves) {
    for (const Origin& origin : curve.columns) fields.insert(origin.field);
  }
  return {fields.begin(), fields.end()};
}

bool is_missing(const Column& column, std::size_t i) {
  if (column.is_null(i)) return true;
  return column.dtype() != DType::String && std::isnan(column.number(i));
}

bool have_same_value(const Column& column, std::size_t i, std::size_t j) {
  if (is_missing(column, i) || is_missing(column, j)) {
    return is_missing(column, i) == is_missing(column, j);
  }
  if (column.dtype() == DType::String) return column.strings()[i] == column.strings()[j];
  if (column.dtype() == DType::I64) {
    return column.values<std::int64_t>()[i] == column.values<std::int64_t>()[j];
  }
  return column.number(i) == column.number(j);
}

std::string value_text(const Column& column, std::size_t i) {
  if (is_missing(column, i)) return "no value";
  if (column.dtype() == DType::String) return fmt::format("'{}'", column.strings()[i]);
  if (column.dtype() == DType::I64) return std::to_string(column.values<std::int64_t>()[i]);
  return fmt::format("{}", column.number(i));
}

}  // namespace

EpochRows::EpochRows(InputFile& file, const Layout& layout, qsohost::Context& context)
    : file_(file),
      layout_(layout),
      fields_(fields_of(layout)),
      rows_(file.table, file.id, fields_, context) {
  if (objects() > 1 && objects() == file_.table.rows()) {
    context.warn(fmt::format(
        "{}: every object has one row, so one epoch at most: [[stage.band]] names columns with one "
        "value a row, and then a row is an epoch",
        file_.name));
  }
}

const Column& EpochRows::column(const qsohost::ObjectRows& rows, std::size_t field) const {
  const auto at = std::ranges::lower_bound(fields_, field) - fields_.begin();
  return rows.columns[static_cast<std::size_t>(at)].values;
}

Column EpochRows::one_per_object(const qsohost::ObjectRows& rows, const Origin& origin) const {
  const Column& values = column(rows, origin.field);
  const std::size_t width = values.width();
  Column out(values.info());
  std::size_t row = 0;
  for (const std::uint64_t count : rows.counts) {
    const std::size_t first = row;
    out.append_cells(values, first, 1);
    for (const std::size_t end = first + count; row < end; ++row) {
      for (std::size_t k = 0; k < width; ++k) {
        const std::size_t a = first * width + k;
        const std::size_t b = row * width + k;
        if (have_same_value(values, a, b)) continue;
        throw RunError(fmt::format(
            "{}: column '{}' (option 'columns') must have one value an object, but of the same "
            "object {} has {} and {} has {}; correct one, or name the column in 'columns' of "
            "[[stage.band]]",
            file_.name, values.name(), file_.table.place(rows.numbers[first]),
            value_text(values, a), file_.table.place(rows.numbers[row]), value_text(values, b)));
      }
    }
  }
  return out;
}

std::vector<std::string> EpochRows::bands_of(const qsohost::ObjectRows& rows) const {
  std::vector<std::string> out;
  if (!layout_.band_field) return out;
  const Column& bands = column(rows, *layout_.band_field);
  for (std::size_t i = 0; i < bands.size(); ++i) out.push_back(band_text(bands, i));
  return out;
}

CurveCells EpochRows::cells_of(const qsohost::ObjectRows& rows, const Curve& curve,
                               const std::vector<std::string>& bands) const {
  CurveCells out;
  std::vector<std::uint64_t> lengths;
  std::vector<qsohost::Slice> slices;  // rows of this light curve that are consecutive
  std::size_t row = 0;
  for (const std::uint64_t count : rows.counts) {
    const std::size_t before = out.numbers.size();
    for (const std::size_t end = row + count; row < end; ++row) {
      if (curve.band_value && bands[row] != *curve.band_value) continue;
      out.numbers.push_back(rows.numbers[row]);
      if (slices.empty() || slices.back().first + slices.back().count != row) {
        slices.push_back({row, 0});
      }
      ++slices.back().count;
    }
    lengths.push_back(out.numbers.size() - before);
  }
  for (const Origin& origin : curve.columns) {
    const Column& from = column(rows, origin.field);
    qsohost::Cells& to = out.columns.emplace_back(qsohost::Cells{Column(from.info()), lengths});
    for (const auto& [first, n] : slices) to.values.append_cells(from, first, n);
    out.tables.push_back(&file_.table);
  }
  return out;
}

ObjectCurves EpochRows::read(std::uint64_t first, std::uint64_t count) {
  const qsohost::ObjectRows rows = rows_.read(first, count);
  ObjectCurves out{rows_.ids(first, count)};
  for (const Origin& origin : layout_.objects) out.objects.push_back(one_per_object(rows, origin));
  const std::vector<std::string> bands = bands_of(rows);
  for (const Curve& curve : layout_.curves) out.curves.push_back(cells_of(rows, curve, bands));
  return out;
}

}  // namespace curves
