// Reads light curves from disk: products of earlier runs, which their headers describe, files of
// archives, and files of other surveys whose columns the chain names.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <qsohost/io/identifiers.hpp>
#include <qsohost/io/input_columns.hpp>
#include <qsohost/io/input_table.hpp>
#include <qsohost/io/units.hpp>
#include <qsohost/names.hpp>
#include <qsohost/plugin.hpp>

#include "array_rows.hpp"
#include "catalog_join.hpp"
#include "conventions.hpp"
#include "curve_roles.hpp"
#include "curve_values.hpp"
#include "epoch_bands.hpp"
#include "epoch_rows.hpp"
#include "epoch_rows_advice.hpp"

namespace {

using curves::Curve;
using curves::Origin;
using qsohost::Column;
using qsohost::DType;
using qsohost::RunError;
using qsohost::UsageError;

constexpr const char* kEpochIdHelp =
    "position of the epoch in its row of the file, from 0; with one row per epoch the number of "
    "that "
    "row, from 0";
constexpr std::uint64_t kIdBlock = 4096;

class LightCurveSource final : public qsohost::Source {
 public:
  void validate() const override;
  void declare(const qsohost::Schema& before, qsohost::Ports& ports) const override;
  std::vector<qsohost::Input> fingerprint() const override {
    std::vector<qsohost::Input> inputs;
    for (const qsohost::Path& path : *paths) inputs.push_back(qsohost::file_input(path.text));
    if (!catalog->text.empty()) inputs.push_back(qsohost::file_input(catalog->text));
    return inputs;
  }
  void open(qsohost::Context& context) override;
  bool read(qsohost::Batch& batch) override;
  std::uint64_t seek(std::uint64_t first) override;
  std::optional<std::uint64_t> size() const override {
    if (input_ == nullptr) return std::nullopt;
    return input_->objects();
  }
  void close() noexcept override {
    input_.reset();
    files_.clear();
    catalog_.reset();
  }

 private:
  // In the order of declaration, which is that of products.
  using Columns = std::multimap<std::optional<std::size_t>, qsohost::Port>;

  // Integers become floating-point numbers where the unit is converted.
  DType dtype_of(const Origin& origin) const {
    const qsohost::ColumnInfo& info = curves::field_of(files_, origin).info;
    const bool is_float = info.dtype == DType::F32 || info.dtype == DType::F64;
    const bool is_same = origin.unit.empty() || qsohost::unit_factor(info.unit, origin.unit) == 1.0;
    return is_float || is_same ? info.dtype : DType::F64;
  }
  curves::Chosen chosen() const {
    if (columns->size() == 1 && columns->front() == "all") return std::nullopt;
    return *columns;
  }
  void open_catalog(qsohost::Context& context);
  void open_input(qsohost::Context& context);
  void add_columns(const Curve& curve, Columns& to) const;
  void report() const;

  qsohost::Option<std::vector<qsohost::Path>> paths{
      this, "paths", qsohost::required,
      "tables of light curves: one row per object, epochs in arrays, and then several must have "
      "the "
      "same objects in the same order; or one file with one row per epoch, in any order, whose "
      "columns `band` names"};
  qsohost::Option<qsohost::Path> catalog{
      this, "catalog", qsohost::Path{},
      "table whose columns are added by identifier, e.g. for z; of columns that the light "
      "curves' files have too, theirs count"};
  qsohost::Option<std::string> hdu{this, "hdu", "",
                                   "HDU or TABLE of the light curves' files, by name or number "
                                   "(\"2\"; the primary HDU is 0, the "
                                   "first TABLE 1); empty: the first table"};
  qsohost::Option<std::string> catalog_hdu{this, "catalog_hdu", "", "the same of the catalogue"};
  qsohost::Option<std::string> id{this, "id", "source_id",
                                  "column of identifiers, integers or texts, in all files"};
  qsohost::Option<std::vector<std::string>> columns{
      this, "columns", std::vector<std::string>{"all"},
      "columns of the objects, of the files or the catalogue, by name, or \"all\" (with one row "
      "per "
      "epoch: all of the catalogue); names that differ in case alone are found too"};
  qsohost::OptionTables<curves::Band> band{
      this, "band",
      "light curves by the names of their columns; those of products, and of ZTF (mjd_g, mag_g, "
      "...) and Gaia (g_transit_time, bp_obs_time, ...), are found without it"};

  std::vector<curves::InputFile> files_;
  curves::Layout layout_;
  std::optional<curves::CatalogJoin> catalog_;
  std::unique_ptr<curves::CurveInput> input_;
  std::vector<curves::CurveReport> reports_;  // of each light curve
  std::uint64_t next_ = 0;
  qsohost::Context* context_ = nullptr;
};

void LightCurveSource::validate() const {
  if (paths->empty()) throw UsageError("paths is empty: name the files to read");
  curves::check_bands(band);
}

// The columns of a light curve; the key is each one's position in a product.
void LightCurveSource::add_columns(const Curve& curve, Columns& to) const {
  const auto file_name = [&](const std::string& name) {
    return curves::known_file_name(curve.info, name);
  };
  for (const Origin& origin : curve.columns) {
    const qsohost::ColumnInfo& info = curves::field_of(files_, origin).info;
    to.emplace(origin.place, qsohost::Port{.group = curve.info.name,
                                           .name = origin.name,
                                           .dtype = dtype_of(origin),
                                           .unit = origin.unit.empty() ? info.unit : origin.unit,
                                           .help = info.description,
                                           .file_name = origin.file_name,
                                           .in_product = origin.place.has_value()});
  }
  const auto derived = [&](const std::string& name, std::string help) {
    to.emplace(std::nullopt, qsohost::Port{.group = curve.info.name,
                                           .name = name,
                                           .dtype = DType::F64,
                                           .unit = "mag",
                                           .help = std::move(help),
                                           .file_name = file_name(name)});
  };
  if (const auto& from = curve.from_flux) {
    if (from->zero_point) {
      derived(curve.info.mag, fmt::format("{:.6g} - 2.5 log10({})", *from->zero_point, from->flux));
    }
    derived(curve.info.mag_err, fmt::format("2.5 / ln 10 x {} / {}", from->flux_err, from->flux));
  }
  if (curve.numbers_epochs) {
    to.emplace(std::nullopt, qsohost::Port{.group = curve.info.name,
                                           .name = "epoch_id",
                                           .dtype = DType::I64,
                                           .help = kEpochIdHelp,
                                           .file_name = file_name("epoch_id")});
  }
}

void LightCurveSource::declare(const qsohost::Schema& /*before*/, qsohost::Ports& ports) const {
  if (files_.empty()) {
    ports.adds({"", "source_id", std::nullopt, "", "identifier of the object"});
    return ports.adds_unknown();
  }
  const qsohost::ColumnInfo& ids = files_[0].table.columns()[files_[0].id].info;
  ports.adds({"", "source_id", ids.dtype == DType::String ? DType::String : DType::I64, "",
              ids.description});
  const auto add = [&](const qsohost::ColumnInfo& info) {
    ports.adds({"", info.name, info.dtype, info.unit, info.description, 0, info.width});
  };
  for (const Origin& origin : layout_.objects) {
    qsohost::ColumnInfo info = curves::field_of(files_, origin).info;
    info.name = origin.name;
    add(info);
  }
  if (catalog_) std::ranges::for_each(catalog_->columns(), add);
  Columns epochs;
  for (const Curve& curve : layout_.curves) {
    ports.adds_group(curve.info);
    add_columns(curve, epochs);
  }
  for (const auto& [place, port] : epochs) ports.adds(port);
}

void LightCurveSource::open(qsohost::Context& context) {
  close();
  context_ = &context;
  open_input(context);
  if (!catalog->text.empty()) {
    open_catalog(context);
  } else if (!layout_.elsewhere.empty()) {
    throw RunError(fmt::format(
        "{}: there is no column '{}' (option 'columns'){}", files_[0].name, layout_.elsewhere[0],
        qsohost::did_you_mean(layout_.elsewhere[0], files_[0].table.column_names())));
  }
  next_ = 0;
  reports_.assign(layout_.curves.size(), {});
}

void LightCurveSource::open_input(qsohost::Context& context) {
  std::vector<std::filesystem::path> names;
  for (const qsohost::Path& path : *paths) names.emplace_back(path.text);
  files_ = curves::open_files(names, *hdu, *id);
  for (const curves::InputFile& file : files_) {
    for (const std::string& warning : file.table.warnings()) context.warn(warning);
  }
  const auto warn_of_left_out = [&] {
    for (const std::string& line : layout_.left_out) context.warn(line);
  };
  if (curves::have_epoch_rows(files_, band)) {
    layout_ = curves::lay_out_epoch_rows(files_, band, chosen());
    warn_of_left_out();
    curves::check_row_bands(files_[0], layout_, context);
    input_ = std::make_unique<curves::EpochRows>(files_[0], layout_, context);
  } else {
    curves::require_aligned(files_, curves::repeated_id_advice(files_[0]));
    layout_ = curves::lay_out_arrays(files_, band, chosen());
    warn_of_left_out();
    input_ = std::make_unique<curves::ArrayRows>(files_, layout_);
  }
}

void LightCurveSource::open_catalog(qsohost::Context& context) {
  std::set<std::string> taken;
  for (const Origin& origin : layout_.objects) {
    taken.insert(qsohost::lower_case(origin.name));
  }
  curves::Chosen wanted = chosen();
  if (wanted) wanted = layout_.elsewhere;
  catalog_.emplace(catalog->text, *catalog_hdu, *id, taken, wanted);
  for (const std::string& line : catalog_->warnings()) context.warn(line);
  for (const std::string& line : catalog_->left_out()) context.warn(line);
  std::uint64_t missing = 0;
  std::string example;
  for (std::uint64_t first = 0; first < input_->objects(); first += kIdBlock) {
    const Column ids = input_->ids(first, std::min(kIdBlock, input_->objects() - first));
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (catalog_->has(ids, i)) continue;
      if (missing++ == 0) example = qsohost::id_text(ids, i);
    }
  }
  if (missing == 0) return;
  context.warn(
      fmt::format("{} of {} objects are not in the catalogue {}, the first is {}: what it should "
                  "give is missing for them",
                  missing, input_->objects(), catalog->text, example));
}

std::uint64_t LightCurveSource::seek(std::uint64_t first) {
  return next_ = std::min(first, input_->objects());
}

void LightCurveSource::report() const {
  for (std::size_t i = 0; i < layout_.curves.size(); ++i) {
    for (const std::string& line : curves::warnings_of(layout_.curves[i], reports_[i])) {
      context_->warn(line);
    }
  }
}

bool LightCurveSource::read(qsohost::Batch& batch) {
  const std::uint64_t count = std::min<std::uint64_t>(batch.capacity(), input_->objects() - next_);
  if (count == 0) return false;
  curves::ObjectCurves read = input_->read(next_, count);
  // The host has made the columns already, but without their descriptions.
  if (catalog_) {
    for (Column& column : catalog_->rows_of(read.ids)) {
      batch.objects().at(column.name()) = std::move(column);
    }
  }
  batch.objects().at("source_id") = std::move(read.ids);
  for (std::size_t i = 0; i < layout_.objects.size(); ++i) {
    Column& column = batch.objects().at(layout_.objects[i].name);
    column = std::move(read.objects[i]);
    column.rename(layout_.objects[i].name);
  }
  for (std::size_t i = 0; i < layout_.curves.size(); ++i) {
    const Curve& curve = layout_.curves[i];
    curves::add_curve(curve, std::move(read.curves[i]), batch.group(curve.info.name), reports_[i]);
  }
  next_ += count;
  if (next_ == input_->objects()) report();
  return true;
}

}  // namespace

QSOHOST_PLUGIN("lightcurve-source", QSOHOST_VERSION,
               qsohost::stage<LightCurveSource>(
                   "lightcurve-source",
                   "light curves from tables: one row per object with arrays, or one per epoch"));
