// Reads the quasars of a run from a catalogue, one per row.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <qsohost/io/identifiers.hpp>
#include <qsohost/io/input_columns.hpp>
#include <qsohost/io/input_table.hpp>
#include <qsohost/plugin.hpp>

#include "catalog_checks.hpp"

namespace {

using qsohost::Column;
using qsohost::DType;
using qsohost::RunError;

enum class Repeats : std::uint8_t { Error, Keep };

class CatalogSource final : public qsohost::Source {
 public:
  void declare(const qsohost::Schema& before, qsohost::Ports& ports) const override;
  std::vector<qsohost::Input> fingerprint() const override {
    return {qsohost::file_input(path->text)};
  }
  void open(qsohost::Context& context) override;
  bool read(qsohost::Batch& batch) override;
  std::optional<std::uint64_t> size() const override {
    if (!input_) return std::nullopt;
    return input_->rows();
  }
  std::uint64_t seek(std::uint64_t first) override {
    return next_ = std::min(first, input_->rows());
  }
  void close() noexcept override { input_.reset(); }

 private:
  // A column besides id and position, under its name in the batch.
  struct Extra {
    std::size_t position = 0;
    std::string name;
  };

  bool wants_all() const { return columns->size() == 1 && columns->front() == "all"; }
  void choose_columns(qsohost::Context& context);
  std::vector<std::size_t> positions() const;

  qsohost::Option<qsohost::Path> path{
      this, "path", qsohost::required,
      "catalogue: a FITS table, VOTable, IPAC table, ECSV, CSV or TSV, "
      "also gzipped"};
  qsohost::Option<std::string> hdu{
      this, "hdu", "",
      "HDU of a FITS file or TABLE of a VOTable, by name or number (\"2\"; the primary HDU is 0, "
      "the first TABLE 1); empty: the first table"};
  qsohost::Option<std::string> id{this, "id", "source_id",
                                  "column of identifiers, integers or texts"};
  qsohost::Option<std::string> ra{
      this, "ra", "ra", "column of right ascensions, ICRS; in degrees if it declares no unit"};
  qsohost::Option<std::string> dec{
      this, "dec", "dec", "column of declinations, ICRS; in degrees if it declares no unit"};
  qsohost::Option<std::vector<std::string>> columns{
      this, "columns", std::vector<std::string>{"all"},
      "further columns by name, or \"all\"; names that differ in case alone are found too"};

  qsohost::Choice<Repeats> repeats{this,
                                   "repeats",
                                   Repeats::Error,
                                   {{"error", Repeats::Error}, {"keep", Repeats::Keep}},
                                   "an identifier that is there twice, as of quasars that "
                                   "share a match: error, or keep (each row "
                                   "is an object)"};

  std::optional<qsohost::InputTable> input_;
  catalog::KeyColumns keys_;
  std::vector<Extra> extras_;
  std::uint64_t next_ = 0;  // row to be read
};

void CatalogSource::declare(const qsohost::Schema& /*before*/, qsohost::Ports& ports) const {
  const bool is_open = input_.has_value();
  std::optional<DType> id_type;
  if (is_open) {
    const bool is_text = input_->columns()[keys_.id].info.dtype == DType::String;
    id_type = is_text ? DType::String : DType::I64;
  }
  ports.adds({"", "source_id", id_type, "", "identifier of the object"});
  ports.adds({"", "ra", DType::F64, "deg", "right ascension, ICRS"});
  ports.adds({"", "dec", DType::F64, "deg", "declination, ICRS"});
  for (const Extra& extra : extras_) {
    const qsohost::ColumnInfo& info = input_->columns()[extra.position].info;
    ports.adds({"", extra.name, info.dtype, info.unit, info.description, 0, info.width});
  }
  if (is_open) return;
  if (wants_all()) return ports.adds_unknown();
  const std::set<std::string> keys{*id, *ra, *dec, "source_id", "ra", "dec"};
  for (const std::string& name : *columns) {
    if (!keys.contains(name)) ports.adds({"", name, std::nullopt});
  }
}

void CatalogSource::open(qsohost::Context& context) {
  qsohost::InputTable input(path->text, *hdu);
  for (const std::string& warning : input.warnings()) context.warn(warning);
  const auto find = [&](const qsohost::Option<std::string>& option) {
    return qsohost::find_column(input, *option, option.name());
  };
  keys_ = {find(id), find(ra), find(dec)};
  for (const auto& [position, option] : {std::pair(keys_.ra, &ra), std::pair(keys_.dec, &dec)}) {
    qsohost::check_position_column(input.columns()[position], input.name(), option->name());
  }
  input_.emplace(std::move(input));
  choose_columns(context);
  catalog::check_rows(*input_, keys_, *repeats == Repeats::Keep);
  next_ = 0;
}

void CatalogSource::choose_columns(qsohost::Context& context) {
  extras_.clear();
  const std::vector<std::string> in_file = input_->column_names();
  qsohost::ObjectNames taken;
  taken.add("source_id", in_file[keys_.id], input_->name());
  taken.add("ra", in_file[keys_.ra], input_->name());
  taken.add("dec", in_file[keys_.dec], input_->name());
  const auto add = [&](std::size_t position, const std::string& name) {
    if (position == keys_.id || position == keys_.ra || position == keys_.dec) return;
    const std::string problem = qsohost::column_problem(input_->columns()[position]);
    if (problem.empty()) {
      taken.add(name, in_file[position], input_->name());
      extras_.push_back({position, name});
    } else if (wants_all()) {
      context.warn(fmt::format("{}: column '{}' is left out: {}", input_->name(), name, problem));
    } else {
      throw RunError(
          fmt::format("{}: column '{}' cannot be taken: {}", input_->name(), name, problem));
    }
  };
  if (wants_all()) {
    for (std::size_t i = 0; i < in_file.size(); ++i) add(i, in_file[i]);
    return;
  }
  for (const std::string& name : *columns) {
    add(qsohost::find_column(in_file, name, input_->name(), "columns"), name);
  }
}

std::vector<std::size_t> CatalogSource::positions() const {
  std::vector<std::size_t> all{keys_.id, keys_.ra, keys_.dec};
  for (const Extra& extra : extras_) all.push_back(extra.position);
  return all;
}

bool CatalogSource::read(qsohost::Batch& batch) {
  const std::uint64_t count = std::min<std::uint64_t>(batch.capacity(), input_->rows() - next_);
  if (count == 0) return false;
  std::vector<qsohost::Cells> read = input_->read(next_, count, positions());
  next_ += count;
  // The host has made most of these already, but it does not know their descriptions.
  const auto put = [&](Column column) {
    if (Column* there = batch.objects().find(column.name())) {
      *there = std::move(column);
    } else {
      batch.objects().add(std::move(column));
    }
  };
  put(qsohost::id_column(read[0].values));
  put(catalog::position_column(read[1].values, "ra"));
  put(catalog::position_column(read[2].values, "dec"));
  for (std::size_t i = 0; i < extras_.size(); ++i) {
    read[i + 3].values.rename(extras_[i].name);
    put(std::move(read[i + 3].values));
  }
  return true;
}

}  // namespace

QSOHOST_PLUGIN("catalog-source", QSOHOST_VERSION,
               qsohost::stage<CatalogSource>("catalog-source",
                                             "objects from a catalogue, FITS or text"));
