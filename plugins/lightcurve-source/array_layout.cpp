#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <qsohost/io/fits_epochs.hpp>
#include <qsohost/io/input_columns.hpp>
#include <qsohost/io/input_table.hpp>
#include <qsohost/names.hpp>

#include "conventions.hpp"
#include "curve_layout.hpp"
#include "curve_roles.hpp"

namespace curves {

namespace {

using qsohost::InputColumn;
using qsohost::ObjectNames;
using qsohost::RunError;

constexpr std::size_t kMostFields = 10000;  // of a file

class Planner {
 public:
  explicit Planner(const std::vector<InputFile>& files) : files_(files) {
    for (const InputFile& file : files) said_.push_back(qsohost::read_epoch_keywords(file.table));
  }

  Layout plan(const qsohost::OptionTables<Band>& bands, const Chosen& chosen) {
    for (std::size_t i = 0; i < bands.size(); ++i) add_band(bands[i]);
    recognise();
    chosen ? take_chosen(*chosen) : add_all();
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
    const auto [file, field] = key;
    add_origin(curve, {.file = file, .field = field, .name = std::move(name)}, files_);
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
          name, group, field.info.name, files_[file].name, field_of(files_, other).info.name,
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
    if (!band.band_column->empty()) {
      throw RunError(fmt::format(
          "[[stage.band]] of '{}' has band_column, which is for tables with one row per epoch, but "
          "the times of {} are arrays; leave band_column and band_value out",
          *band.group, files_[0].name));
    }
    layout_.curves.push_back(curve_of(band, files_, [&](const std::string& column) {
      const auto [file, field] = find_array(column, *band.group);
      done_.insert({file, field});
      return Origin{.file = file, .field = field};
    }));
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
      finish(curve, files_);
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

  static bool is_whole(const Curve& curve) {
    return has(curve, curve.info.time) && has(curve, curve.info.mag) &&
           (curve.from_flux || has(curve, curve.info.mag_err));
  }

  void tell_incomplete(const Curve& curve) {
    std::vector<std::string> missing;
    for (const std::string& name : {curve.info.time, curve.info.mag, curve.info.mag_err}) {
      if (!has(curve, name)) missing.push_back(name);
    }
    incomplete_ +=
        fmt::format("; '{}' has {}, but no {}", curve.info.name,
                    field_of(files_, curve.columns[0]).info.name, fmt::join(missing, ", "));
  }

  void add_object(ObjectNames& names, Key key, const std::string& name) {
    const auto [file, field] = key;
    names.add(name, files_[file].table.columns()[field].info.name, files_[file].name);
    layout_.objects.push_back({file, field, name});
    done_.insert(key);
  }

  // If several files have a column, the first one is used.
  void add_all() {
    ObjectNames names = names_with_id(files_);
    std::map<std::string, std::size_t> file_of;
    for_each_field([&](Key key, const InputColumn& field) {
      if (!qsohost::column_problem(field).empty()) return;
      const auto [it, is_new] =
          file_of.try_emplace(qsohost::lower_case(field.info.name), key.first);
      if (is_new || it->second == key.first) return add_object(names, key, field.info.name);
      done_.insert(key);
    });
  }

  void take_chosen(const std::vector<std::string>& chosen) {
    add_chosen(files_, chosen, layout_);
    for (const Origin& origin : layout_.objects) done_.insert({origin.file, origin.field});
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

Layout lay_out_arrays(const std::vector<InputFile>& files, const qsohost::OptionTables<Band>& bands,
                      const Chosen& chosen) {
  return Planner(files).plan(bands, chosen);
}

}  // namespace curves
