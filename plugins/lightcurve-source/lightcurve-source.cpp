// Reads light curves from disk: products of earlier runs, which their headers describe, files of
// archives, and files of other surveys whose columns the chain names.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <numeric>
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

#include "catalog_join.hpp"
#include "conventions.hpp"
#include "curve_layout.hpp"
#include "curve_values.hpp"

namespace {

using curves::Curve;
using curves::Origin;
using qsohost::Column;
using qsohost::DType;
using qsohost::RunError;
using qsohost::UsageError;

constexpr const char* kEpochIdHelp = "position of the epoch in its row of the file, from 0";

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
    if (files_.empty()) return std::nullopt;
    return files_[0].table.rows();
  }
  void close() noexcept override {
    files_.clear();
    catalog_.reset();
  }

 private:
  using Read = std::vector<std::vector<qsohost::Cells>>;  // by file and field
  // In the order of declaration, which is that of products.
  using Columns = std::multimap<std::optional<std::size_t>, qsohost::Port>;

  const qsohost::InputColumn& field_of(const Origin& origin) const {
    return files_[origin.file].table.columns()[origin.field];
  }
  // Integers become floating-point numbers where the unit is converted.
  DType dtype_of(const Origin& origin) const {
    const qsohost::ColumnInfo& info = field_of(origin).info;
    const bool is_float = info.dtype == DType::F32 || info.dtype == DType::F64;
    const bool is_same = origin.unit.empty() || qsohost::unit_factor(info.unit, origin.unit) == 1.0;
    return is_float || is_same ? info.dtype : DType::F64;
  }
  curves::Chosen chosen() const {
    if (columns->size() == 1 && columns->front() == "all") return std::nullopt;
    return *columns;
  }
  void open_catalog(qsohost::Context& context);
  void add_columns(const Curve& curve, Columns& to) const;
  Read read_files(std::uint64_t count);
  void report() const;
  curves::CurveCells cells_of(const Curve& curve, Read& read) const;

  qsohost::Option<std::vector<qsohost::Path>> paths{
      this, "paths", qsohost::required,
      "tables of light curves, one row per object, epochs in arrays; several must have the same "
      "objects in the same order"};
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
      "columns of the objects, of the files or the catalogue, by name, or \"all\"; names that "
      "differ in case alone are found too"};
  qsohost::OptionTables<curves::Band> band{
      this, "band",
      "light curves by the names of their columns; those of products, and of ZTF (mjd_g, mag_g, "
      "...) and Gaia (g_transit_time, bp_obs_time, ...), are found without it"};

  std::vector<curves::InputFile> files_;
  curves::Layout layout_;
  std::optional<curves::CatalogJoin> catalog_;
  std::vector<std::vector<std::size_t>> fields_;  // of each file, to be read
  std::vector<curves::CurveReport> reports_;      // of each light curve
  std::uint64_t next_ = 0;
  qsohost::Context* context_ = nullptr;
};

// Magnitudes or fluxes, each with errors.
void check_roles(const curves::Band& band) {
  const bool has_mag = !band.mag->empty() && !band.mag_err->empty();
  const bool has_flux = !band.flux->empty() && !band.flux_err->empty();
  const bool has_any_mag = !band.mag->empty() || !band.mag_err->empty();
  const bool has_any_flux = !band.flux->empty() || !band.flux_err->empty();
  if (has_mag && !has_any_flux) return;
  if (has_flux && !has_any_mag) return;
  throw UsageError(fmt::format(
      "band: '{}' needs mag and mag_err, or flux and flux_err, and not both", *band.group));
}

void LightCurveSource::validate() const {
  if (paths->empty()) throw UsageError("paths is empty: name the files to read");
  std::set<std::string> groups;
  for (std::size_t i = 0; i < band.size(); ++i) {
    const std::string& group = *band[i].group;
    const qsohost::GroupInfo info = curves::known_group(group);
    if (info.survey.empty() || info.band.empty()) {
      throw UsageError(fmt::format("band: group '{}' must be <survey>.<band>", group));
    }
    if (!groups.insert(group).second) {
      throw UsageError(fmt::format("band: group '{}' is there twice", group));
    }
    check_roles(band[i]);
    const std::string& times = *band[i].time_system;
    if (!times.empty() && !qsohost::time_system_of(times)) {
      throw UsageError(fmt::format(
          "band: time_system of '{}' is \"{}\"; write e.g. \"MJD UTC\", \"HJD UTC\" or \"BJD TCB - "
          "2455197.5\", with scale UTC, TAI, TT, TCG, TDB or TCB",
          group, times));
    }
  }
}

// The columns of a light curve; the key is each one's position in a product.
void LightCurveSource::add_columns(const Curve& curve, Columns& to) const {
  const auto file_name = [&](const std::string& name) {
    return curves::known_file_name(curve.info, name);
  };
  for (const Origin& origin : curve.columns) {
    const qsohost::ColumnInfo& info = field_of(origin).info;
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
    qsohost::ColumnInfo info = field_of(origin).info;
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
  std::vector<std::filesystem::path> names;
  for (const qsohost::Path& path : *paths) names.emplace_back(path.text);
  context_ = &context;
  files_ = curves::open_aligned(names, *hdu, *id);
  for (const curves::InputFile& file : files_) {
    for (const std::string& warning : file.table.warnings()) context.warn(warning);
  }
  layout_ = curves::lay_out(files_, band, chosen());
  for (const std::string& line : layout_.left_out) context.warn(line);
  if (!catalog->text.empty()) {
    open_catalog(context);
  } else if (!layout_.elsewhere.empty()) {
    throw RunError(fmt::format(
        "{}: there is no column '{}' (option 'columns'){}", files_[0].name, layout_.elsewhere[0],
        qsohost::did_you_mean(layout_.elsewhere[0], files_[0].table.column_names())));
  }
  next_ = 0;
  reports_.assign(layout_.curves.size(), {});
  fields_.assign(files_.size(), {});
  fields_[0].push_back(files_[0].id);
  const auto want = [&](const Origin& origin) { fields_[origin.file].push_back(origin.field); };
  for (const Origin& origin : layout_.objects) want(origin);
  for (const Curve& curve : layout_.curves) std::ranges::for_each(curve.columns, want);
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
  curves::InputFile& file = files_[0];
  qsohost::for_each_id(file.table, file.id, [&](const Column& ids, std::uint64_t) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (catalog_->has(ids, i)) continue;
      if (missing++ == 0) example = qsohost::id_text(ids, i);
    }
  });
  if (missing == 0) return;
  context.warn(
      fmt::format("{} of {} objects are not in the catalogue {}, the first is {}: what it should "
                  "give is missing for them",
                  missing, file.table.rows(), catalog->text, example));
}

LightCurveSource::Read LightCurveSource::read_files(std::uint64_t count) {
  Read read(files_.size());
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (fields_[i].empty()) continue;
    std::vector<qsohost::Cells> cells = files_[i].table.read(next_, count, fields_[i]);
    for (const qsohost::InputColumn& field : files_[i].table.columns()) {
      read[i].push_back({Column(field.info)});
    }
    for (std::size_t k = 0; k < cells.size(); ++k) {
      read[i][fields_[i][k]] = std::move(cells[k]);
    }
  }
  return read;
}

// The cells of a light curve; each column is in one file and of one light curve.
curves::CurveCells LightCurveSource::cells_of(const Curve& curve, Read& read) const {
  curves::CurveCells cells;
  cells.first = next_;
  for (const Origin& origin : curve.columns) {
    cells.columns.push_back(std::move(read[origin.file][origin.field]));
    cells.files.push_back(files_[origin.file].name);
  }
  return cells;
}

std::uint64_t LightCurveSource::seek(std::uint64_t first) {
  return next_ = std::min<std::uint64_t>(first, files_[0].table.rows());
}

void LightCurveSource::report() const {
  for (std::size_t i = 0; i < layout_.curves.size(); ++i) {
    for (const std::string& line : curves::warnings_of(layout_.curves[i], reports_[i])) {
      context_->warn(line);
    }
  }
}

bool LightCurveSource::read(qsohost::Batch& batch) {
  const std::uint64_t count =
      std::min<std::uint64_t>(batch.capacity(), files_[0].table.rows() - next_);
  if (count == 0) return false;
  Read read = read_files(count);
  // The host has made the columns already, but without their descriptions.
  Column ids = qsohost::id_column(read[0][files_[0].id].values);
  if (catalog_) {
    for (Column& column : catalog_->rows_of(ids)) {
      batch.objects().at(column.name()) = std::move(column);
    }
  }
  batch.objects().at("source_id") = std::move(ids);
  for (const Origin& origin : layout_.objects) {
    Column& column = batch.objects().at(origin.name);
    column = std::move(read[origin.file][origin.field].values);
    column.rename(origin.name);
  }
  for (std::size_t i = 0; i < layout_.curves.size(); ++i) {
    const Curve& curve = layout_.curves[i];
    curves::add_curve(curve, cells_of(curve, read), batch.group(curve.info.name), reports_[i]);
  }
  next_ += count;
  if (next_ == files_[0].table.rows()) report();
  return true;
}

}  // namespace

QSOHOST_PLUGIN("lightcurve-source", QSOHOST_VERSION,
               qsohost::stage<LightCurveSource>(
                   "lightcurve-source", "light curves from FITS tables, one row per object"));
