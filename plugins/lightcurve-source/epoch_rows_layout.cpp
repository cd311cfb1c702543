#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <qsohost/io/input_columns.hpp>
#include <qsohost/names.hpp>

#include "curve_layout.hpp"
#include "curve_roles.hpp"

namespace curves {

namespace {

using qsohost::DType;
using qsohost::InputColumn;
using qsohost::RunError;

// Whether the times of a band are one value a row. If there is no such column, a file without any
// arrays is taken as one with epochs in rows, whose reader then names the columns that there are.
bool has_epoch_rows(const std::vector<InputFile>& files, const Band& band) {
  bool has_arrays = false;
  for (const InputFile& file : files) {
    const std::vector<std::string> names = file.table.column_names();
    const auto found = qsohost::columns_called(names, *band.time);
    if (!found.empty()) return !holds_epochs(file.table.columns()[found[0]]);
    has_arrays = has_arrays || std::ranges::any_of(file.table.columns(), holds_epochs);
  }
  return !has_arrays;
}

// A column with one value a row.
std::size_t find_value(const InputFile& file, const std::string& name) {
  const std::size_t i = qsohost::find_column(file.table, name, "band");
  const InputColumn& column = file.table.columns()[i];
  std::string problem = column.problem;
  if (problem.empty() && holds_epochs(column)) {
    problem = "it holds several values a row, but the times one, so that a row is an epoch";
  }
  if (problem.empty()) return i;
  throw RunError(
      fmt::format("{}: column '{}' cannot be of epochs: {}", file.name, column.info.name, problem));
}

std::size_t find_band_column(const InputFile& file, const std::string& name) {
  const std::size_t i = find_value(file, name);
  const qsohost::ColumnInfo& info = file.table.columns()[i].info;
  const bool is_float = info.dtype == DType::F32 || info.dtype == DType::F64;
  if (!is_float && info.dtype != DType::Bool) return i;
  throw RunError(fmt::format(
      "{}: column '{}' (option 'band_column') holds {}, but bands must be texts or integers",
      file.name, info.name, name_of(info.dtype)));
}

void tell_unread(const InputFile& file, Layout& layout) {
  std::set<std::size_t> read{file.id};
  if (layout.band_field) read.insert(*layout.band_field);
  for (const Curve& curve : layout.curves) {
    for (const Origin& origin : curve.columns) read.insert(origin.field);
  }
  std::vector<std::string> unread;
  const auto& columns = file.table.columns();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (!read.contains(i)) unread.push_back("'" + columns[i].info.name + "'");
  }
  if (unread.empty()) return;
  layout.left_out.push_back(fmt::format(
      "{}: not read: {}; name columns of epochs in 'columns' of [[stage.band]], and those with one "
      "value an object (ra, dec, ...) in option 'columns'",
      file.name, fmt::join(unread, ", ")));
}

}  // namespace

bool have_epoch_rows(const std::vector<InputFile>& files,
                     const qsohost::OptionTables<Band>& bands) {
  if (bands.size() == 0) return false;
  const bool is_first = has_epoch_rows(files, bands[0]);
  for (std::size_t i = 1; i < bands.size(); ++i) {
    if (has_epoch_rows(files, bands[i]) == is_first) continue;
    const Band& rows = bands[is_first ? 0 : i];
    const Band& arrays = bands[is_first ? i : 0];
    throw RunError(fmt::format(
        "{}: [[stage.band]] of '{}' and '{}' do not go together: column '{}' has one value a row, "
        "so that a row is an epoch, but '{}' holds arrays; read them in two runs",
        files[0].name, *rows.group, *arrays.group, *rows.time, *arrays.time));
  }
  if (!is_first || files.size() == 1) return is_first;
  throw RunError(fmt::format(
      "{} has one row per epoch, and of such files only one can be read, but 'paths' lists {}; put "
      "all rows into one file, in any order, or read each in a run of its own",
      files[0].name, files.size()));
}

Layout lay_out_epoch_rows(const std::vector<InputFile>& files,
                          const qsohost::OptionTables<Band>& bands, const Chosen& chosen) {
  const InputFile& file = files[0];
  Layout layout;
  for (std::size_t i = 0; i < bands.size(); ++i) {
    const Band& band = bands[i];
    Curve& curve = layout.curves.emplace_back(curve_of(band, files, [&](const std::string& name) {
      return Origin{.file = 0, .field = find_value(file, name)};
    }));
    if (band.band_column->empty()) continue;
    layout.band_field = find_band_column(file, *band.band_column);
    curve.band_value = qsohost::trimmed(*band.band_value);
  }
  if (chosen) {
    add_chosen(files, *chosen, layout);
  } else {
    tell_unread(file, layout);
  }
  return layout;
}

}  // namespace curves
