#include "curve_layout.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include <qsohost/io/fits_epochs.hpp>
#include <qsohost/io/input_columns.hpp>
#include <qsohost/io/input_table.hpp>
#include <qsohost/io/units.hpp>
#include <qsohost/names.hpp>
#include "conventions.hpp"

namespace curves {

namespace {

using qsohost::InputColumn;
using qsohost::ObjectNames;
using qsohost::RunError;

constexpr std::size_t kMostFields = 10000;  // of a file

bool holds_epochs(const InputColumn& column) {
  return column.is_array || column.info.width > 1;
}

class Planner {
 public:
  explicit Planner(const std::vector<InputFile>& files) : files_(files) {
    for (const InputFile& file : files) said_.push_back(qsohost::read_epoch_keywords(file.table));
  }

  Layout plan(const qsohost::OptionTables<Band>& bands, const Chosen& chosen) {
    for (std::size_t i = 0; i < bands.size(); ++i) add_band(bands[i]);
    recognise();
    chosen ? add_chosen(*chosen) : add_all();
    tell_left_out();
    if (layout_.curves.empty()) {
      throw RunError(
          fmt::format("{}: no light curve is recognised by the names of its columns{}; name them "
                      "in [[stage.band]]: group, time, mag, mag_err",
                      files_[0].name, incomplete_));
    }
    return std::move(layout_);
  }

 private:
  using Key = std::pair<std::size_t, std::size_t>;  // file, field

  const InputColumn& field_of(const Origin& origin) const {
    return files_[origin.file].table.columns()[origin.field];
  }

  template <class F>
  void for_each_field(const F& see) {
    for (std::size_t file = 0; file < files_.size(); ++file) {
      const auto& fields = files_[file].table.columns();
      for (std::size_t i = 0; i < fields.size(); ++i) {
        if (i != files_[file].id && !done_.contains({file, i})) see(Key{file, i}, fields[i]);
      }
    }
  }

  Curve& curve(qsohost::GroupInfo info) {
    const auto it =
        std::ranges::find(layout_.curves, info.name, [](const Curve& c) { return c.info.name; });
    if (it != layout_.curves.end()) return *it;
    return layout_.curves.emplace_back(Curve{.info = std::move(info)});
  }

  void add_to(Curve& curve, Key key, std::string name) {
    for (const Origin& other : curve.columns) {
      if (other.name != name) continue;
      throw RunError(fmt::format(
          "{} and {} both have column '{}' of light curve '{}'; read one of them, or name the "
          "columns in [[stage.band]]",
          files_[other.file].name, files_[key.first].name, field_of(other).info.name,
          curve.info.name));
    }
    const auto [file, field] = key;
    std::string file_name = known_file_name(curve.info, name);
    const auto place = known_place(curve.info, name);
    curve.columns.push_back({file, field, std::move(name), "", std::move(file_name), place});
    done_.insert(key);
  }

  // By the header of its file; false if the header does not describe it.
  bool add_by_header(Key key, const InputColumn& field) {
    const auto& [groups, columns] = said_[key.first];
    const auto said =
        std::ranges::find(columns, field.info.name, &qsohost::FitsEpochColumn::column);
    if (said == columns.end()) return false;
    Curve& curve = this->curve(*std::ranges::find(groups, said->group, &qsohost::GroupInfo::name));
    add_to(curve, key, said->name);
    Origin& origin = curve.columns.back();
    origin.file_name = field.info.name;
    origin.place.reset();
    if (said->in_product) origin.place = key.first * kMostFields + key.second;
    return true;
  }

  // The one array column of that name in all files.
  Key find_array(const std::string& name, const std::string& group) {
    std::vector<Key> found;
    std::vector<std::string> arrays;
    for_each_field([&](Key /*key*/, const InputColumn& field) {
      if (holds_epochs(field)) arrays.push_back(field.info.name);
    });
    for (std::size_t file = 0; file < files_.size(); ++file) {
      const std::vector<std::string> names = files_[file].table.column_names();
      for (const std::size_t i : qsohost::columns_called(names, name)) {
        if (!done_.contains({file, i})) found.emplace_back(file, i);
      }
    }
    if (found.empty()) {
      throw RunError(fmt::format("{}: there is no column '{}' for light curve '{}'{}",
                                 files_[0].name, name, group, qsohost::did_you_mean(name, arrays)));
    }
    const auto [file, position] = found[0];
    const InputColumn& field = files_[file].table.columns()[position];
    if (found.size() > 1) {
      const Origin other{found[1].first, found[1].second, name};
      throw RunError(fmt::format(
          "'{}' of light curve '{}' could be column '{}' of {} or column '{}' of {}; spell it "
          "exactly, or read one of the files",
          name, group, field.info.name, files_[file].name, field_of(other).info.name,
          files_[other.file].name));
    }
    if (!holds_epochs(field) || !field.problem.empty()) {
      throw RunError(fmt::format(
          "{}: column '{}' cannot be epochs of '{}': {}", files_[file].name, name, group,
          field.problem.empty() ? "it has one value a row, not an array" : field.problem));
    }
    return found[0];
  }

  void add_band(const Band& band) {
    qsohost::GroupInfo info = known_group(*band.group);
    const std::string suffix = "_" + info.band;
    Curve& curve = this->curve(info);
    const auto add = [&](const std::string& column) {
      std::string name = column;
      if (name.size() > suffix.size() && name.ends_with(suffix)) {
        name.resize(name.size() - suffix.size());
      }
      add_to(curve, find_array(column, *band.group), name);
      return name;
    };
    curve.info.time = add(*band.time);
    if (band.flux->empty()) {
      curve.info.mag = add(*band.mag);
      curve.info.mag_err = add(*band.mag_err);
    } else {
      curve.from_flux = {add(*band.flux), add(*band.flux_err), *band.zero_point};
    }
    for (const std::string& column : *band.columns) add(column);
    finish(curve);
    if (const auto told = qsohost::time_system_of(*band.time_system)) {
      curve.info.time_system = *told;
    }
  }

  // Columns that no [[stage.band]] uses, by the header or by their names.
  void recognise() {
    std::vector<Curve> found;
    Planner names(files_);
    names.done_ = done_;
    for_each_field([&](Key key, const InputColumn& field) {
      if (!holds_epochs(field) || !field.problem.empty() || names.add_by_header(key, field)) return;
      const auto column = known_column(field.info.name);
      if (column) names.add_to(names.curve(known_group(column->group)), key, column->column);
    });
    for (Curve& curve : names.layout_.curves) {
      finish(curve);
      if (!is_whole(curve)) {
        tell_incomplete(curve);
        continue;
      }
      if (std::ranges::any_of(layout_.curves,
                              [&](const Curve& c) { return c.info.name == curve.info.name; })) {
        throw RunError(fmt::format(
            "[[stage.band]] names light curve '{}', and columns of {} have the names of it too; "
            "give it another group",
            curve.info.name, files_[curve.columns[0].file].name));
      }
      for (const Origin& origin : curve.columns) done_.insert({origin.file, origin.field});
      layout_.curves.push_back(std::move(curve));
    }
  }

  static bool has(const Curve& curve, std::string_view name) {
    return std::ranges::find(curve.columns, name, &Origin::name) != curve.columns.end();
  }

  void finish(Curve& curve) const {
    const auto time = std::ranges::find(curve.columns, curve.info.time, &Origin::name);
    if (time != curve.columns.end()) {
      const auto in_header = files_[time->file].table.time_system();
      if (in_header) curve.info.time_system = *in_header;
    }
    if (!curve.from_flux && !has(curve, curve.info.mag_err) && has(curve, "flux") &&
        has(curve, "flux_error")) {
      curve.from_flux = {"flux", "flux_error"};
    }
    set_units(curve);
    curve.numbers_epochs = !has(curve, "epoch_id");
    if (has(curve, "flux_error")) return;
    // Gaia's product has magnitude errors where flux errors are missing.
    for (Origin& origin : curve.columns) {
      if (origin.name == curve.info.mag_err && !origin.place) {
        origin.place = known_place(curve.info, "flux_error");
      }
    }
  }

  static bool is_whole(const Curve& curve) {
    return has(curve, curve.info.time) && has(curve, curve.info.mag) &&
           (curve.from_flux || has(curve, curve.info.mag_err));
  }

  // Times are in days and magnitudes in mag from here on, whatever the file's units.
  void set_units(Curve& curve) const {
    set_unit(curve, curve.info.time, "d", "times");
    set_unit(curve, curve.info.mag, "mag", "magnitudes");
    set_unit(curve, curve.info.mag_err, "mag", "errors of magnitudes");
    if (!curve.from_flux || !curve.from_flux->zero_point) return;
    FromFlux& flux = *curve.from_flux;
    const std::string& unit = unit_of(curve, flux.flux);
    set_unit(curve, flux.flux_err, unit, "errors of fluxes");
    if (*flux.zero_point != kAb) return;
    const auto jansky = qsohost::unit_factor(unit, "Jy");
    if (unit.empty() || !jansky) {
      throw RunError(fmt::format(
          "{}: column '{}' has {}, so there is no AB magnitude of it; give zero_point, the "
          "magnitude "
          "of a source of flux 1, in [[stage.band]] of '{}'",
          files_[origin(curve, flux.flux).file].name, field_of(origin(curve, flux.flux)).info.name,
          unit.empty() ? "no unit" : fmt::format("the unit '{}'", unit), curve.info.name));
    }
    flux.zero_point = kAbZeroPoint - 2.5 * std::log10(*jansky);
  }

  static const Origin& origin(const Curve& curve, const std::string& name) {
    return *std::ranges::find(curve.columns, name, &Origin::name);
  }
  const std::string& unit_of(const Curve& curve, const std::string& name) const {
    return field_of(origin(curve, name)).info.unit;
  }

  void set_unit(Curve& curve, const std::string& name, const std::string& wanted,
                std::string_view what) const {
    const auto it = std::ranges::find(curve.columns, name, &Origin::name);
    if (it == curve.columns.end() || wanted.empty()) return;
    const qsohost::ColumnInfo& info = field_of(*it).info;
    it->unit = wanted;
    if (info.unit.empty() || qsohost::unit_factor(info.unit, wanted)) return;
    throw RunError(fmt::format(
        "{}: column '{}' of light curve '{}' has the unit '{}', but {} must be in {}, or a unit "
        "that "
        "can be converted to it; correct the unit{}",
        files_[it->file].name, info.name, curve.info.name, info.unit, what, wanted,
        wanted == "mag" ? ", or name fluxes by flux and flux_err in [[stage.band]]" : ""));
  }

  void tell_incomplete(const Curve& curve) {
    std::vector<std::string> missing;
    for (const std::string& name : {curve.info.time, curve.info.mag, curve.info.mag_err}) {
      if (!has(curve, name)) missing.push_back(name);
    }
    incomplete_ += fmt::format("; '{}' has {}, but no {}", curve.info.name,
                               field_of(curve.columns[0]).info.name, fmt::join(missing, ", "));
  }

  void add_object(ObjectNames& names, Key key, const std::string& name) {
    const auto [file, field] = key;
    names.add(name, files_[file].table.columns()[field].info.name, files_[file].name);
    layout_.objects.push_back({file, field, name});
    done_.insert(key);
  }

  ObjectNames names_with_id() const {
    const InputFile& first = files_[0];
    ObjectNames names;
    names.add("source_id", first.table.columns()[first.id].info.name, first.name);
    return names;
  }

  // If several files have a column, the first one is used.
  void add_all() {
    ObjectNames names = names_with_id();
    std::map<std::string, std::size_t> file_of;
    for_each_field([&](Key key, const InputColumn& field) {
      if (!qsohost::column_problem(field).empty()) return;
      const auto [it, is_new] =
          file_of.try_emplace(qsohost::lower_case(field.info.name), key.first);
      if (is_new || it->second == key.first) return add_object(names, key, field.info.name);
      done_.insert(key);
    });
  }

  void add_chosen(const std::vector<std::string>& chosen) {
    ObjectNames names = names_with_id();
    for (const std::string& name : chosen) {
      std::size_t file = 0;
      const auto has_it = [&](const InputFile& f) {
        return !qsohost::columns_called(f.table.column_names(), name).empty();
      };
      while (file < files_.size() && !has_it(files_[file])) ++file;
      if (file == files_.size()) {
        layout_.elsewhere.push_back(name);
        continue;
      }
      const InputFile& in = files_[file];
      const std::size_t i = qsohost::find_column(in.table, name, "columns");
      if (i == in.id) continue;
      if (const auto trouble = qsohost::column_problem(in.table.columns()[i]); !trouble.empty()) {
        throw RunError(fmt::format("{}: column '{}' cannot be taken: {}", in.name, name, trouble));
      }
      add_object(names, {file, i}, name);
    }
    for_each_field([&](Key key, const InputColumn& field) {
      if (qsohost::column_problem(field).empty()) done_.insert(key);  // the user excludes it
    });
  }

  void tell_left_out() {
    for_each_field([&](Key key, const InputColumn& field) {
      layout_.left_out.push_back(fmt::format(
          "{}: column '{}' is left out: {}", files_[key.first].name, field.info.name,
          field.problem.empty() ? "it belongs to no light curve with time, mag and mag_err; name "
                                  "one in [[stage.band]]"
                                : field.problem));
    });
  }

  const std::vector<InputFile>& files_;
  std::vector<qsohost::FitsEpochs> said_;  // from the files' headers
  std::set<Key> done_;                     // fields already handled
  Layout layout_;
  std::string incomplete_;  // light curves that lack something
};

}  // namespace

Layout lay_out(const std::vector<InputFile>& files, const qsohost::OptionTables<Band>& bands,
               const Chosen& chosen) {
  return Planner(files).plan(bands, chosen);
}

}  // namespace curves
