// The quasars of a run: one row of a catalogue each.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <qsohost/plugin.hpp>

#include "catalog_checks.hpp"
#include "table_input.hpp"

namespace {

using qsohost::ChainError;
using qsohost::Column;
using qsohost::DType;

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

class CatalogSource final : public qsohost::Source {
 public:
  void declare(const qsohost::Schema& before, qsohost::Ports& ports) const override;
  std::vector<qsohost::Input> fingerprint() const override {
    return {qsohost::file_input(path->text)};
  }
  void open(qsohost::Context& context) override;
  bool read(qsohost::Batch& batch) override;
  std::optional<std::uint64_t> size() const override {
    if (input_ == nullptr) return std::nullopt;
    return input_->rows();
  }
  void close() noexcept override { input_.reset(); }

 private:
  // A column besides id and position, under the name that it has in the batch.
  struct Extra {
    std::size_t position = 0;
    std::string name;
  };

  bool wants_all() const { return columns->size() == 1 && columns->front() == "all"; }
  void choose_columns(qsohost::Context& context);
  void add_extra(std::size_t position, const std::string& name);
  std::vector<std::size_t> positions() const;

  qsohost::Option<qsohost::Path> path{this, "path", qsohost::required,
                                      "catalogue: a FITS table, CSV, TSV, IPAC table or VOTable"};
  qsohost::Option<std::string> hdu{
      this, "hdu", "",
      "HDU of a FITS file, by EXTNAME or number (\"2\"; the primary is 0); empty: "
      "the first binary table"};
  qsohost::Option<std::string> id{this, "id", "source_id",
                                  "column of identifiers, integers or texts"};
  qsohost::Option<std::string> ra{this, "ra", "ra", "column of right ascensions, ICRS, degrees"};
  qsohost::Option<std::string> dec{this, "dec", "dec", "column of declinations, ICRS, degrees"};
  qsohost::Option<std::vector<std::string>> columns{
      this, "columns", std::vector<std::string>{"all"},
      "further columns by name, or \"all\"; names that differ in case alone are found too"};

  qsohost::Option<std::string> repeats{this,
                                       "repeats",
                                       "error",
                                       "an identifier that is there twice, as of quasars that "
                                       "share a match: error, or keep (each row "
                                       "is an object)",
                                       {.choices = {"error", "keep"}}};

  std::unique_ptr<catalog::TableInput> input_;
  catalog::KeyColumns keys_;
  std::vector<Extra> extras_;
};

void CatalogSource::declare(const qsohost::Schema& /*before*/, qsohost::Ports& ports) const {
  const bool is_open = input_ != nullptr;
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
  auto input = catalog::open_table(path->text, *hdu);
  keys_ = {catalog::find_column(*input, *id, "id"), catalog::find_column(*input, *ra, "ra"),
           catalog::find_column(*input, *dec, "dec")};
  for (const std::size_t position : {keys_.ra, keys_.dec}) {
    const auto& [info, trouble, why_text] = input->columns()[position];
    if (info.dtype != DType::String && info.dtype != DType::Bool && info.width == 1) continue;
    throw ChainError(fmt::format(
        "{}: column '{}' holds {}, but positions must be numbers, one a row{}", input->name(),
        info.name, info.width == 1 ? name_of(info.dtype) : "several values a row",
        why_text.empty() ? "; name another column"
                         : fmt::format(": {}; correct it, or name another column", why_text)));
  }
  input_ = std::move(input);
  choose_columns(context);
  catalog::check_rows(*input_, keys_, *repeats == "keep");
  input_->start(positions());
}

void CatalogSource::choose_columns(qsohost::Context& context) {
  extras_.clear();
  if (!wants_all()) {
    for (const std::string& name : *columns) {
      const std::size_t position = catalog::find_column(*input_, name, "columns");
      const catalog::InputColumn& column = input_->columns()[position];
      if (!column.trouble.empty()) {
        throw ChainError(fmt::format("{}: column '{}' cannot be taken: {}", input_->name(),
                                     column.info.name, column.trouble));
      }
      add_extra(position, name);
    }
    return;
  }
  for (std::size_t i = 0; i < input_->columns().size(); ++i) {
    const catalog::InputColumn& column = input_->columns()[i];
    if (column.trouble.empty()) {
      add_extra(i, column.info.name);
    } else {
      context.warn(fmt::format("{}: column '{}' is left out: {}", input_->name(), column.info.name,
                               column.trouble));
    }
  }
}

// Names that differ in case alone cannot stand in one FITS file, so they are refused here already.
void CatalogSource::add_extra(std::size_t position, const std::string& name) {
  if (position == keys_.id || position == keys_.ra || position == keys_.dec) return;
  const auto clash = [&](std::string_view other) {
    throw ChainError(fmt::format(
        "{}: column '{}' has the name of another column, '{}'; list the columns that you want in "
        "option 'columns'",
        input_->name(), name, other));
  };
  for (const std::string_view key : {"source_id", "ra", "dec"}) {
    if (lower(name) == key) clash(key);
  }
  for (const Extra& extra : extras_) {
    if (lower(extra.name) == lower(name)) clash(extra.name);
  }
  extras_.push_back({position, name});
}

std::vector<std::size_t> CatalogSource::positions() const {
  std::vector<std::size_t> all{keys_.id, keys_.ra, keys_.dec};
  for (const Extra& extra : extras_) all.push_back(extra.position);
  return all;
}

bool CatalogSource::read(qsohost::Batch& batch) {
  const std::vector<Column> read = input_->next(batch.capacity());
  if (read[0].size() == 0) return false;
  // The host has made most of these already, but it does not know their descriptions.
  const auto put = [&](Column column) {
    if (Column* there = batch.objects().find(column.name())) {
      *there = std::move(column);
    } else {
      batch.objects().add(std::move(column));
    }
  };
  put(qsohost::id_column(read[0]));
  put(catalog::position_column(read[1], "ra"));
  put(catalog::position_column(read[2], "dec"));
  for (std::size_t i = 0; i < extras_.size(); ++i) {
    qsohost::ColumnInfo info = read[i + 3].info();
    info.name = extras_[i].name;
    Column column(std::move(info));
    column.append_cells(read[i + 3], 0, read[i + 3].size());
    put(std::move(column));
  }
  return true;
}

}  // namespace

QSOHOST_PLUGIN("catalog-source", QSOHOST_VERSION,
               qsohost::stage<CatalogSource>("catalog-source",
                                             "objects from a catalogue, FITS or text"));
