// Reads the quasars of a run from a catalogue, one per row.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <qsohost/io/catalog_columns.hpp>
#include <qsohost/io/input_table.hpp>
#include <qsohost/plugin.hpp>

#include "catalog_checks.hpp"

namespace {

using qsohost::Column;

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
  void close() noexcept override {
    input_.reset();
    chosen_.reset();
  }

 private:
  qsohost::Option<qsohost::Path> path{
      this, "path", qsohost::required,
      "catalogue: a FITS table, VOTable, IPAC table, ECSV, CSV or TSV, "
      "also gzipped"};
  qsohost::Option<std::string> hdu{
      this, "hdu", "",
      "HDU of a FITS file or TABLE of a VOTable, by name or number (\"2\"; the primary HDU is 0, "
      "the first TABLE 1); empty: the first table"};
  qsohost::CatalogOptions of_objects_{this, "", "names that differ in case alone are found too"};
  qsohost::Choice<Repeats> repeats{this,
                                   "repeats",
                                   Repeats::Error,
                                   {{"error", Repeats::Error}, {"keep", Repeats::Keep}},
                                   "an identifier that is there twice, as of quasars that "
                                   "share a match: error, or keep (each row "
                                   "is an object)"};

  std::optional<qsohost::InputTable> input_;
  std::optional<qsohost::CatalogColumns> chosen_;
  std::uint64_t next_ = 0;  // row to be read
};

void CatalogSource::declare(const qsohost::Schema& /*before*/, qsohost::Ports& ports) const {
  if (chosen_) return chosen_->declare(ports);
  qsohost::declare_unopened(of_objects_.names(), ports);
}

void CatalogSource::open(qsohost::Context& context) {
  qsohost::InputTable input(path->text, *hdu);
  const auto warn = [&](const std::string& warning) { context.warn(warning); };
  for (const std::string& warning : input.warnings()) warn(warning);
  chosen_.emplace(input, of_objects_.names(), warn);
  input_.emplace(std::move(input));
  catalog::check_rows(*input_, chosen_->positions(), *repeats == Repeats::Keep);
  next_ = 0;
}

bool CatalogSource::read(qsohost::Batch& batch) {
  const std::uint64_t count = std::min<std::uint64_t>(batch.capacity(), input_->rows() - next_);
  if (count == 0) return false;
  for (Column& column : chosen_->of_objects(input_->read(next_, count, chosen_->positions()))) {
    // The host has made most of these already, but it does not know their descriptions.
    if (Column* there = batch.objects().find(column.name())) {
      *there = std::move(column);
    } else {
      batch.objects().add(std::move(column));
    }
  }
  next_ += count;
  return true;
}

}  // namespace

QSOHOST_PLUGIN("catalog-source", QSOHOST_VERSION,
               qsohost::stage<CatalogSource>("catalog-source",
                                             "objects from a catalogue, FITS or text"));
