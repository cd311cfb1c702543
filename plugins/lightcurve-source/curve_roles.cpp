#include "curve_roles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include <qsohost/io/units.hpp>
#include <qsohost/names.hpp>

#include "conventions.hpp"

namespace curves {

namespace {

using qsohost::DType;
using qsohost::RunError;

constexpr double kAbZeroPoint = 8.90;  // of 1 Jy; Oke & Gunn 1983, ApJ 266, 713

const Origin& origin(const Curve& curve, const std::string& name) {
  return *std::ranges::find(curve.columns, name, &Origin::name);
}

// Sets the names and units of the columns of one light curve.
class Finisher {
 public:
  Finisher(Curve& curve, const std::vector<InputFile>& files) : curve_(curve), files_(files) {}

  // Times are in days and magnitudes in mag from here on, whatever the file's units.
  void set_units() {
    set_unit(curve_.info.time, "d", "times");
    set_unit(curve_.info.mag, "mag", "magnitudes");
    set_unit(curve_.info.mag_err, "mag", "errors of magnitudes");
    if (!curve_.from_flux || !curve_.from_flux->zero_point) return;
    FromFlux& flux = *curve_.from_flux;
    require_numbers(flux.flux);
    const qsohost::ColumnInfo& info = info_of(flux.flux);
    set_unit(flux.flux_err, info.unit, "errors of fluxes");
    if (*flux.zero_point != kAb) return;
    const auto jansky = qsohost::unit_factor(info.unit, "Jy");
    if (info.unit.empty() || !jansky) {
      throw RunError(
          fmt::format("{}: column '{}' has {}, so there is no AB magnitude of it; give zero_point, "
                      "the magnitude "
                      "of a source of flux 1, in [[stage.band]] of '{}'",
                      file_of(flux.flux), info.name,
                      info.unit.empty() ? "no unit" : fmt::format("the unit '{}'", info.unit),
                      curve_.info.name));
    }
    flux.zero_point = kAbZeroPoint - 2.5 * std::log10(*jansky);
  }

 private:
  const qsohost::ColumnInfo& info_of(const std::string& name) const {
    return field_of(files_, origin(curve_, name)).info;
  }
  const std::string& file_of(const std::string& name) const {
    return files_[origin(curve_, name).file].name;
  }

  void require_numbers(const std::string& name) const {
    const qsohost::InputColumn& field = field_of(files_, origin(curve_, name));
    if (field.info.dtype != DType::String && field.info.dtype != DType::Bool) return;
    throw RunError(fmt::format(
        "{}: column '{}' of light curve '{}' holds {}, not numbers{}", file_of(name),
        field.info.name, curve_.info.name,
        field.info.dtype == DType::String ? "texts" : "true and false",
        field.not_number.empty() ? "" : fmt::format(": {}; correct that", field.not_number)));
  }

  void set_unit(const std::string& name, const std::string& wanted, std::string_view what) {
    const auto it = std::ranges::find(curve_.columns, name, &Origin::name);
    if (it == curve_.columns.end()) return;
    require_numbers(name);
    if (wanted.empty()) return;
    const qsohost::ColumnInfo& info = info_of(name);
    if (info.unit.empty()) return;  // it stays so
    it->unit = wanted;
    if (qsohost::unit_factor(info.unit, wanted)) return;
    throw RunError(fmt::format(
        "{}: column '{}' of light curve '{}' has the unit '{}', but {} must be in {}, or a unit "
        "that can be converted to it; correct the unit{}",
        file_of(name), info.name, curve_.info.name, info.unit, what, wanted,
        wanted == "mag" ? ", or name fluxes by flux and flux_err in [[stage.band]]" : ""));
  }

  Curve& curve_;
  const std::vector<InputFile>& files_;
};

}  // namespace

const qsohost::InputColumn& field_of(const std::vector<InputFile>& files, const Origin& origin) {
  return files[origin.file].table.columns()[origin.field];
}

bool has(const Curve& curve, std::string_view name) {
  return std::ranges::find(curve.columns, name, &Origin::name) != curve.columns.end();
}

void add_origin(Curve& curve, Origin origin, const std::vector<InputFile>& files) {
  for (const Origin& other : curve.columns) {
    if (other.name != origin.name) continue;
    if (other.file == origin.file && other.field == origin.field) {
      throw RunError(
          fmt::format("{}: column '{}' is named twice for light curve '{}'; name it once",
                      files[origin.file].name, field_of(files, origin).info.name, curve.info.name));
    }
    throw RunError(fmt::format(
        "{} and {} both have column '{}' of light curve '{}'; read one of them, or name the "
        "columns in [[stage.band]]",
        files[other.file].name, files[origin.file].name, field_of(files, other).info.name,
        curve.info.name));
  }
  origin.file_name = known_file_name(curve.info, origin.name);
  origin.place = known_place(curve.info, origin.name);
  curve.columns.push_back(std::move(origin));
}

Curve curve_of(const Band& band, const std::vector<InputFile>& files,
               const std::function<Origin(const std::string&)>& find) {
  Curve curve{.info = known_group(*band.group)};
  const std::string suffix = "_" + curve.info.band;
  const auto add = [&](const std::string& column) {
    Origin origin = find(column);
    origin.name = column;
    if (column.size() > suffix.size() && column.ends_with(suffix)) {
      origin.name.resize(column.size() - suffix.size());
    }
    add_origin(curve, origin, files);
    return origin.name;
  };
  curve.info.time = add(*band.time);
  if (band.flux->empty()) {
    curve.info.mag = add(*band.mag);
    curve.info.mag_err = add(*band.mag_err);
  } else {
    curve.from_flux = {add(*band.flux), add(*band.flux_err), *band.zero_point};
    if (curve.info.mag.empty()) curve.info.mag = "mag";
    if (curve.info.mag_err.empty()) curve.info.mag_err = "mag_err";
  }
  for (const std::string& column : *band.columns) add(column);
  finish(curve, files);
  if (const auto told = qsohost::time_system_of(*band.time_system)) {
    curve.info.time_system = *told;
  }
  return curve;
}

void finish(Curve& curve, const std::vector<InputFile>& files) {
  const auto time = std::ranges::find(curve.columns, curve.info.time, &Origin::name);
  if (time != curve.columns.end()) {
    const auto in_header = files[time->file].table.time_system();
    if (in_header) curve.info.time_system = *in_header;
  }
  if (!curve.from_flux && !has(curve, curve.info.mag_err) && has(curve, "flux") &&
      has(curve, "flux_error")) {
    curve.from_flux = {"flux", "flux_error"};
  }
  Finisher(curve, files).set_units();
  curve.numbers_epochs = !has(curve, "epoch_id");
  if (has(curve, "flux_error")) return;
  // Gaia's product has magnitude errors where flux errors are missing.
  for (Origin& origin : curve.columns) {
    if (origin.name == curve.info.mag_err && !origin.place) {
      origin.place = known_place(curve.info, "flux_error");
    }
  }
}

qsohost::ObjectNames names_with_id(const std::vector<InputFile>& files) {
  const InputFile& first = files[0];
  qsohost::ObjectNames names;
  names.add("source_id", first.table.columns()[first.id].info.name, first.name);
  return names;
}

void add_chosen(const std::vector<InputFile>& files, const std::vector<std::string>& chosen,
                Layout& layout) {
  qsohost::ObjectNames names = names_with_id(files);
  for (const std::string& name : chosen) {
    const auto in = std::ranges::find_if(files, [&](const InputFile& file) {
      return !qsohost::columns_called(file.table.column_names(), name).empty();
    });
    if (in == files.end()) {
      layout.elsewhere.push_back(name);
      continue;
    }
    const std::size_t field = qsohost::find_column(in->table, name, "columns");
    if (field == in->id) continue;
    const qsohost::InputColumn& column = in->table.columns()[field];
    if (const auto problem = qsohost::column_problem(column); !problem.empty()) {
      throw RunError(fmt::format("{}: column '{}' cannot be taken: {}", in->name, name, problem));
    }
    names.add(name, column.info.name, in->name);
    layout.objects.push_back({static_cast<std::size_t>(in - files.begin()), field, name});
  }
}

}  // namespace curves
