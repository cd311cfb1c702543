#include "curve_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include <qsohost/error.hpp>
#include <qsohost/io/units.hpp>
#include <qsohost/light_curve.hpp>

namespace curves {

namespace {

using qsohost::Cells;
using qsohost::Column;
using qsohost::RunError;

void check_lengths(const Curve& curve, const CurveCells& cells) {
  const auto& expected = cells.columns[0].lengths;
  for (std::size_t i = 1; i < cells.columns.size(); ++i) {
    const auto [a, b] = std::ranges::mismatch(expected, cells.columns[i].lengths);
    if (a == expected.end()) continue;
    throw RunError(fmt::format(
        "{}: {}: column '{}' has {} epochs, but '{}' has {}; all columns of light curve '{}' "
        "must have the same",
        cells.tables[i]->name(),
        cells.tables[i]->place(cells.first + static_cast<std::uint64_t>(a - expected.begin())),
        cells.columns[i].values.name(), *b, cells.columns[0].values.name(), *a, curve.info.name));
  }
}

// Where an epoch of a column is in its file, for messages.
std::string place_of(const CurveCells& cells, std::size_t column, std::size_t epoch) {
  if (!cells.numbers.empty()) return cells.tables[column]->place(cells.numbers[epoch]);
  const auto& lengths = cells.columns[column].lengths;
  std::uint64_t row = 0;
  for (std::uint64_t end = lengths[0]; end <= epoch; end += lengths[row]) ++row;
  return cells.tables[column]->place(cells.first + row);
}

void check_times(const Curve& curve, const CurveCells& cells, std::size_t time,
                 CurveReport& report) {
  const Column& times = cells.columns[time].values;
  for (std::size_t i = 0; i < times.size(); ++i) {
    const double t = times.number(i);
    if (times.dtype() == qsohost::DType::F32 && std::abs(t) > report.largest_f32_time) {
      report.largest_f32_time = std::abs(t);
    }
    const std::string problem = qsohost::misplaced_time(curve.info.time_system, t);
    if (problem.empty()) continue;
    throw RunError(fmt::format("{}: {}: column '{}' of light curve '{}': {}",
                               cells.tables[time]->name(), place_of(cells, time, i), times.name(),
                               curve.info.name, problem));
  }
}

// What take part in a conversion: fluxes and their errors.
void derive_magnitudes(const FromFlux& from, qsohost::Group& group, CurveReport& report) {
  const Column& flux = group.at(from.flux);
  const Column& error = group.at(from.flux_err);
  Column& mag_err = group.at(group.info().mag_err);
  mag_err.resize(flux.size());
  Column* mag = from.zero_point ? &group.at(group.info().mag) : nullptr;
  if (mag != nullptr) mag->resize(flux.size());
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  const std::size_t first = report.epochs;
  for (std::size_t i = 0; i < flux.size(); ++i) {
    const double f = flux.number(i);
    mag_err.values<double>()[i] = qsohost::kMagPerRelativeFlux * error.number(i) / f;
    if (mag == nullptr) continue;
    const bool has_mag = f > 0;
    if (!has_mag) ++report.without_flux;
    mag->values<double>()[i] = has_mag ? *from.zero_point - 2.5 * std::log10(f) : kNaN;
    if (!has_mag) mag_err.values<double>()[i] = kNaN;
  }
  report.epochs = first + flux.size();
}

void number_epochs(qsohost::Group& group, const CurveCells& cells,
                   const std::vector<std::uint64_t>& lengths) {
  Column& out = group.at("epoch_id");
  out.resize(std::accumulate(lengths.begin(), lengths.end(), std::uint64_t{0}));
  auto next = out.values<std::int64_t>().begin();
  if (!cells.numbers.empty()) {
    std::ranges::copy(cells.numbers, next);
    return;
  }
  for (const std::uint64_t length : lengths) {
    const auto end = next + static_cast<std::ptrdiff_t>(length);
    std::iota(next, end, std::int64_t{0});
    next = end;
  }
}

}  // namespace

void add_curve(const Curve& curve, CurveCells cells, qsohost::Group& group, CurveReport& report) {
  qsohost::fixed_to_arrays(cells.columns);
  check_lengths(curve, cells);
  const auto lengths = cells.columns[0].lengths;
  for (std::size_t i = 0; i < curve.columns.size(); ++i) {
    qsohost::convert_unit(cells.columns[i].values, curve.columns[i].unit, cells.tables[i]->name(),
                          "band");
    if (curve.columns[i].name == curve.info.time) check_times(curve, cells, i, report);
  }
  for (std::size_t i = 0; i < curve.columns.size(); ++i) {
    Column& column = group.at(curve.columns[i].name);
    column = std::move(cells.columns[i].values);
    column.rename(curve.columns[i].name);
  }
  if (curve.from_flux) derive_magnitudes(*curve.from_flux, group, report);
  if (curve.numbers_epochs) number_epochs(group, cells, lengths);
  group.append_rows(lengths);
}

std::vector<std::string> warnings_of(const Curve& curve, const CurveReport& report) {
  std::vector<std::string> out;
  if (report.without_flux > 0) {
    out.push_back(
        fmt::format("light curve '{}': {} of {} epochs have a flux that is negative, zero or "
                    "missing; they stay, "
                    "without a magnitude",
                    curve.info.name, report.without_flux, report.epochs));
  }
  constexpr double kDay = 1.0 / 1440;  // a minute
  const double step =
      report.largest_f32_time * static_cast<double>(std::numeric_limits<float>::epsilon());
  if (step > kDay) {
    out.push_back(fmt::format(
        "light curve '{}': its times are in single precision, so they are rounded to {:.2g} d; get "
        "them in double precision",
        curve.info.name, step));
  }
  return out;
}

}  // namespace curves
